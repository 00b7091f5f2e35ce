/** Sino-Korean digits as they are read, 영 and 공 both for zero. */
export const SINO_DIGITS: Readonly<Record<string, number>> = {
  영: 0,
  공: 0,
  일: 1,
  이: 2,
  삼: 3,
  사: 4,
  오: 5,
  육: 6,
  륙: 6,
  칠: 7,
  팔: 8,
  구: 9,
};

/** Multipliers within a group of four digits. */
export const SMALL_UNITS: Readonly<Record<string, number>> = { 십: 10, 백: 100, 천: 1000 };

/** Korean counts in groups of four digits. */
export const LARGE_UNITS: Readonly<Record<string, number>> = { 만: 1e4, 억: 1e8, 조: 1e12 };

/** Native numerals in the form before a counter; tens stand before ones. */
export const NATIVE_TENS: Readonly<Record<string, number>> = {
  열: 10,
  스물: 20,
  서른: 30,
  마흔: 40,
  쉰: 50,
  예순: 60,
  일흔: 70,
  여든: 80,
  아흔: 90,
};

export const NATIVE_ONES: Readonly<Record<string, number>> = {
  한: 1,
  두: 2,
  세: 3,
  네: 4,
  다섯: 5,
  여섯: 6,
  일곱: 7,
  여덟: 8,
  아홉: 9,
};

/** 20 before a counter is 스무, not 스물. */
export const NATIVE_TWENTY = '스무';

interface Counter {
  readonly reading: 'native' | 'sino';
  /** Whether 1,000 and more are grouped by commas. */
  readonly grouped: boolean;
  /** Written instead of the word. */
  readonly symbol?: string;
}

const native: Counter = { reading: 'native', grouped: true };
const sino: Counter = { reading: 'sino', grouped: true };
const label: Counter = { reading: 'sino', grouped: false };

/**
 * Counters with the numerals that they take (한글 맞춤법 43항; 단위성 의존명사). Those that are read
 * both ways with another meaning, such as 분 (minute, person), are listed with the meaning that
 * digits are read in.
 */
export const COUNTERS: Readonly<Record<string, Counter>> = {
  시: native,
  시간: native,
  살: native,
  명: native,
  개: native,
  마리: native,
  권: native,
  잔: native,
  병: native,
  대: native,
  장: native,
  채: native,
  벌: native,
  켤레: native,
  송이: native,
  그루: native,
  자루: native,
  가지: native,
  군데: native,
  사람: native,
  달: native,
  년: label,
  년도: label,
  월: label,
  일: label,
  분: sino,
  초: sino,
  주: sino,
  주년: sino,
  주차: sino,
  개월: sino,
  층: label,
  호: label,
  호선: label,
  번: label,
  번지: label,
  동: label,
  회: sino,
  차: label,
  차례: native,
  세: sino,
  인: sino,
  원: sino,
  달러: sino,
  유로: sino,
  엔: sino,
  위안: sino,
  퍼센트: { ...sino, symbol: '%' },
  프로: { ...sino, symbol: '%' },
  도: sino,
  점: sino,
  배: sino,
  페이지: sino,
  쪽: sino,
  킬로미터: sino,
  킬로그램: sino,
  킬로: sino,
  미터: sino,
  센티미터: sino,
  센티: sino,
  밀리미터: sino,
  그램: sino,
  톤: sino,
  리터: sino,
  평: sino,
  기가: sino,
  메가: sino,
  테라: sino,
};

/** Months whose reading is not that of their number. */
export const IRREGULAR_MONTHS: Readonly<Record<string, number>> = { 유월: 6, 시월: 10 };

/**
 * One-syllable numerals before a counter that are rather another word: 이 일 (this matter), 이 분
 * (this person), 한 번 (once, just try), 두 분 (two persons, not minutes), 일 일, 사 원 (사원), 한 대.
 */
export const HOMOGRAPHS: ReadonlySet<string> = new Set([
  '이 일',
  '일 일',
  '이 분',
  '이 번',
  '이 호',
  '이 주',
  '이 동',
  '이 차',
  '이 점',
  '이 도',
  '이 회',
  '이 원',
  '이 년',
  '이 월',
  '이 초',
  '이 배',
  '이 층',
  '이 쪽',
  '일 점',
  '일 도',
  '일 주',
  '사 원',
  '사 회',
  '사 주',
  '사 장',
  '구 동',
  '구 호',
  '구 도',
  '구 원',
  '구 세',
  '공 원',
  '오 도',
  '오 일',
  '오 회',
  '육 회',
  '육 일',
  '삼 원',
  '한 번',
  '한 대',
  '한 장',
  '한 달',
  '한 가지',
  '한 사람',
]);

/** What may follow a counter in its word; anything else makes it another word (시작, 분위기). */
export const COUNTER_TAILS: readonly string[] = [
  '',
  '은',
  '는',
  '이',
  '가',
  '을',
  '를',
  '의',
  '에',
  '에는',
  '에도',
  '에서',
  '에서는',
  '으로',
  '로',
  '와',
  '과',
  '이랑',
  '랑',
  '하고',
  '도',
  '만',
  '만에',
  '부터',
  '까지',
  '까지는',
  '마다',
  '보다',
  '씩',
  '쯤',
  '짜리',
  '이나',
  '나',
  '이라',
  '이라는',
  '라는',
  '이라고',
  '라고',
  '이고',
  '고',
  '이며',
  '이면',
  '이면은',
  '인데',
  '인데요',
  '이다',
  '입니다',
  '입니다만',
  '이에요',
  '예요',
  '이요',
  '요',
  '이죠',
  '죠',
  '이었습니다',
  '였습니다',
  '이상',
  '이하',
  '미만',
  '정도',
  '정도의',
  '동안',
  '간',
  '경',
  '전',
  '전에',
  '후',
  '후에',
  '째',
  '대',
  '대의',
];
