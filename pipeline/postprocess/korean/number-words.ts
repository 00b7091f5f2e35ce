/** Sino-Korean digits as they are read, 영 and 공 both for zero. */
export const SINO_DIGITS: Readonly<Record<string, number>> = {
  ...{ 영: 0, 공: 0, 일: 1, 이: 2, 삼: 3, 사: 4, 오: 5, 육: 6, 륙: 6, 칠: 7, 팔: 8, 구: 9 },
};

/** Multipliers within a group of four digits. */
export const SMALL_UNITS: Readonly<Record<string, number>> = { 십: 10, 백: 100, 천: 1000 };

/** Korean counts in groups of four digits. */
export const LARGE_UNITS: Readonly<Record<string, number>> = { 만: 1e4, 억: 1e8, 조: 1e12 };

/** Native numerals in the form before a counter; tens stand before ones. */
export const NATIVE_TENS: Readonly<Record<string, number>> = {
  ...{ 열: 10, 스물: 20, 서른: 30, 마흔: 40, 쉰: 50, 예순: 60, 일흔: 70, 여든: 80, 아흔: 90 },
};

export const NATIVE_ONES: Readonly<Record<string, number>> = {
  ...{ 한: 1, 두: 2, 세: 3, 네: 4, 다섯: 5, 여섯: 6, 일곱: 7, 여덟: 8, 아홉: 9 },
};

/** 20 before a counter is 스무, not 스물. */
export const NATIVE_TWENTY = '스무';

/** Native numerals that stand alone, where they differ. */
export const NATIVE_NOUNS: Readonly<Record<string, number>> = { 하나: 1, 둘: 2, 셋: 3, 넷: 4 };

/** 석 달, 넉 장: 서 and 너 stand before measures that meetings have no use for. */
export const NATIVE_VARIANTS: Readonly<Record<string, { value: number; before: string }>> = {
  석: { value: 3, before: '달 장 잔' },
  넉: { value: 4, before: '달 장 잔' },
};

/** Months whose reading is not that of their number (한글 맞춤법 52항: 본음과 속음). */
export const IRREGULAR_MONTHS: Readonly<Record<string, number>> = { 유월: 6, 시월: 10 };

/** Nouns before digits that are said one by one: 내선 1234, 비밀번호는 0517. */
export const BEFORE_DIGITS =
  /(?:번호|코드|암호|뒷자리|앞자리|내선|학번|사번|군번)(?:는|가|이|은|를|을)?\s?$/u;
