import { josaAfter } from './josa.ts';

/** A noun that is counted with (단위를 나타내는 명사). */
export interface Counter {
  /** The numerals below ten that it may follow. */
  readonly takes: 'native' | 'sino' | 'both';
  /** How digits before it are read. */
  readonly reads: 'native' | 'sino';
  /** Whether it names a place in an order rather than an amount: no commas, and digits one by one. */
  readonly isLabel: boolean;
  /** Whether there may be one and a half of it. */
  readonly isMeasure: boolean;
  /** Written instead of the word. */
  readonly symbol?: string;
}

const NATIVE: Counter = { takes: 'native', reads: 'native', isLabel: false, isMeasure: false };
const NATIVE_OR_SINO: Counter = { ...NATIVE, takes: 'both' };
const SINO: Counter = { takes: 'sino', reads: 'sino', isLabel: false, isMeasure: false };
const LABEL: Counter = { ...SINO, isLabel: true };
const MEASURE: Counter = { ...SINO, isMeasure: true };

/**
 * Those that are read both ways with another meaning, such as 분 (minute, person), stand with the
 * meaning that digits have. 사람 and the like are counted in words: 두 사람.
 */
const TABLE: readonly (readonly [Counter, string])[] = [
  [NATIVE, '시 명 개 살 마리 잔 병 장 채 벌 켤레 송이 그루 자루 가지 군데 곳 달 건 쌍 차례'],
  [NATIVE, '줄 통 판 곡 끼 박스 상자 봉지 컵 접시 그릇 포기 척 바퀴 골 걸음 문장 문제 문항 과목'],
  [
    NATIVE,
    '종류 그룹 칸 자리 가구 방울 모금 번째 개소 마디 조각 묶음 알 스푼 티스푼 숟갈 숟가락 큰술 작은술',
  ],
  [{ ...NATIVE, isMeasure: true }, '시간'],
  [NATIVE_OR_SINO, '팀 표 세트 안타 이닝 득점 실점 경기 게임 대 보'],
  [{ ...NATIVE_OR_SINO, isMeasure: true }, '배'],
  [{ ...NATIVE_OR_SINO, isLabel: true }, '번 편 권'],
  [{ ...NATIVE_OR_SINO, reads: 'sino', isMeasure: true }, '주'],
  [
    LABEL,
    '년 년도 월 일 층 호 호선 호기 호점 호실 번지 번길 동 차 회차 주차 학년 학년도 학기 학번',
  ],
  [LABEL, '분기 등 등급 위 세기 세대 반 항 쪽 페이지 단계 라운드 라운더 강 차선 버전 교시 단지'],
  [LABEL, '급 관 화 홀 선 차원 인칭 쿼터 루 부 성급 집 번가 호차 순위'],
  [
    SINO,
    '원 인 인분 개월 개년 개국 개사 주일 주년 회 세 박 승 패 무 석 뷰 교대 연승 연패 연전 부작',
  ],
  [SINO, '타수 타석 타점 개교 개팀 개구단 개부처 개지역 개도시 개대학 개업체 개기관 개종목 개분야'],
  [SINO, '개부문 개언어 개노선 개시군 개시도 개단체 개점포 개매장 마력'],
  [
    MEASURE,
    '분 초 달러 불 유로 엔 위안 파운드 루블 루피 페소 프랑 바트 도 점 기압 헥토파스칼 씨씨',
  ],
  [MEASURE, '킬로미터 킬로그램 킬로 키로미터 키로그램 키로 미터 마일 야드 피트 온스 갤런 캐럿'],
  [
    MEASURE,
    '센티미터 쎈티미터 센치미터 센티 쎈티 센치 쎈치 밀리미터 밀리그램 밀리리터 밀리 미리 미리미터 미리리터 미리그램',
  ],
  [MEASURE, '리터 그램 그람 톤 평 제곱미터 평방미터 제곱킬로미터 세제곱미터 입방미터 헥타르'],
  [MEASURE, '인치 칼로리 데시벨 배럴 킬로칼로리 킬로와트시 바이트 킬로바이트 픽셀 화소'],
  [MEASURE, '기가바이트 메가바이트 테라바이트 기가 메가 테라 헤르츠 메가헤르츠 기가헤르츠'],
  [
    MEASURE,
    '와트 킬로와트 메가와트 기가와트 볼트 암페어 포인트 마이크로미터 마이크로그램 나노미터',
  ],
  [MEASURE, '밀리초 나노초 메가비트 기가비트 파스칼 럭스 루멘 에이커 노트 비트 프레임'],
  [{ ...MEASURE, symbol: '%포인트' }, '퍼센트포인트'],
  [{ ...MEASURE, symbol: '%' }, '퍼센트 프로'],
];

export const COUNTERS: ReadonlyMap<string, Counter> = new Map(
  TABLE.flatMap(([counter, words]) => words.split(' ').map((word) => [word, counter] as const)),
);

export const LONGEST_COUNTER = Math.max(...[...COUNTERS.keys()].map((word) => word.length));

/** Nouns behind a counter in its word, beside particles: 삼십 명가량, 3시쯤, 90년대. */
const ANY_SUFFIXES = '이상 이하 미만 이내 초과 정도 가량 남짓 짜리 어치';
const SUFFIXES: readonly (readonly [string, string])[] = [
  ['년 월 일 주 주일 개월 달 시간 분 초 박', '간 동안 전 후 뒤 만'],
  ['년 일 개월 달 주 번 시간', '째'],
  ['년 개월 주', '차'],
  ['년', '대 생 도 말 초 산 식 형 반 근'],
  ['회', '말 초'],
  ['대 세', '들'],
  ['등', '석 급 상'],
  ['월', '말 초 중 경 분 호'],
  ['일', '경 자'],
  ['시', '경 반 정각 전 이후 이전'],
  ['시간', '반'],
  ['번', '타자 출구 버스 창구 국도 선수 문제'],
  ['부', '리그'],
  ['루', '수 타'],
  ['세 번', '대'],
  ['원 달러 퍼센트 점 도 평 위안 엔', '대'],
  ['원 달러', '권'],
  ['명 인 개 원', '당'],
  ['명 개 건 번 곳', '꼴'],
  ['개월 달 년 일 주 인분', '치'],
  ['년 일 시간 회 개월 점', '제'],
  ['인', '실 승 용 조 석 가구 가족'],
  ['회 번', '째'],
  ['대', '째'],
  ['층', '짜리 높이 집 건물 버스 침대'],
];
const EVERYWHERE = ['시 년 월 일 분 세 살', '이후 이전 경 무렵'] as const;

const suffixesOf = (counter: string): readonly string[] => [
  '',
  ...ANY_SUFFIXES.split(' '),
  ...[...SUFFIXES, EVERYWHERE]
    .filter(([counters]) => counters.split(' ').includes(counter))
    .flatMap(([, suffixes]) => suffixes.split(' ')),
];

const suffixes = new Map([...COUNTERS.keys()].map((counter) => [counter, suffixesOf(counter)]));

/** Whether a counter may end so within its word; anything else makes it another (시작, 분위기). */
export const mayEndIn = (counter: string, tail: string): boolean =>
  (suffixes.get(counter) ?? ['']).some(
    (suffix) =>
      tail.startsWith(suffix) && josaAfter(counter + suffix).has(tail.slice(suffix.length)),
  );

/** Whether a word is a counter with what may follow it, or begins with one: 명이, 퍼센트. */
export function startsWithCounter(word: string): boolean {
  for (let length = Math.min(LONGEST_COUNTER, word.length); length > 0; length--) {
    const counter = word.slice(0, length);
    if (COUNTERS.has(counter) && mayEndIn(counter, word.slice(length))) return true;
  }
  return false;
}
