/**
 * What keeps ordinary words from being taken for numbers: 이 일 (this matter), 네 가지 마세요 (yes, do
 * not go), 사회, 만일, 이번. In doubt a word stays a word.
 */

const setOf = (words: string): ReadonlySet<string> => new Set(words.trim().split(/\s+/));

/** Counters that a numeral may stand before with a space between them. */
type Rule = { readonly only: ReadonlySet<string> } | { readonly except: ReadonlySet<string> };

const only = (counters: string): Rule => ({ only: setOf(counters) });
const except = (counters: string): Rule => ({ except: setOf(counters) });

/** 구조, 사조, 일조 are words. */
const TRILLIONS = '일조 이조 삼조 사조 오조 육조 칠조 팔조 구조'.split(' ');
const ONE_TRILLION = Object.fromEntries(
  TRILLIONS.map((word) => [word, only('원 달러 엔 위안 유로')]),
);

/**
 * Numerals that are words of another meaning too: 이 this, 일 work, 사 buy, 오 oh, 구 old, 네 yes,
 * 한 about, 이만 with this, 만일 if. All others may stand before any counter that takes them.
 */
export const MAY_COUNT: Readonly<Record<string, Rule>> = {
  이: only(`퍼센트 퍼센트포인트 개월 개년 개국 개사 학년 학기 인분 호선 주년 킬로미터 킬로그램 킬로
    미터 센티미터 센티 밀리미터 밀리그램 밀리리터 밀리 그램 리터 달러 유로 위안 헥타르 제곱미터
    기가바이트 메가바이트 테라바이트 테라 데시벨 인치 칼로리`),
  일: except('일 점 도 주 등 세 회 쪽 팀 호실'),
  사: except('회 주 세 도 위 등 인'),
  오: except('도 세 회'),
  육: except('회'),
  팔: except('도'),
  구: except('분 도 호 세 차 회 인 팀 등 단계 학기 세대 등급'),
  영: only('점 도 시 퍼센트'),
  공: only(''),
  륙: only(''),
  만: only('원 명 개 달러 톤 권 장 건 번'),
  억: only(''),
  조: only(''),
  이만: only('원 명 개 달러 톤 권 장 건 대 평 표 보 석 킬로미터 미터 유로 엔 위안 불 가구 볼트'),
  일만: only(
    '원 명 개 달러 톤 권 장 건 대 평 표 번 시간 보 석 킬로미터 미터 유로 엔 위안 불 가구 볼트',
  ),
  오만: except('가지'),
  ...ONE_TRILLION,
  만일: only(''),
  만사: only(''),
  // 한 명 and 한 건 are mostly an article.
  한: only('시 시간 살'),
  두: except('표'),
  세: except('표'),
  네: except('표 편 차례 팀 자리 그룹 병'),
};

/** Counters that one syllable before them makes nothing sure of: 사 원, 구 동, 삼 반, 오 배. */
export const NOT_BY_DIGIT = setOf(
  '원 동 반 무 항 강 석 불 박 배 표 버전 뷰 급 관 화 선 부 루 미리 세트 경기 게임 대 보 편 권 집 노트 비트 성급',
);
export const NOT_BY_UNIT = setOf('동 반 무 항 강 석 불 박 급 관 화 선 부 루 미리 보 집 노트');

/** 네 behind nothing is mostly yes, unless the counter leaves no doubt: 네 시에 봅시다. */
export const AFTER_NOTHING = setOf('시 시간 명 개 살 번째 마리 권');

/** 네 건 아니야, 이 기가 막힌 일: the word behind that makes a counter another word. */
export const NOT_BEFORE: readonly (readonly [string, RegExp])[] = [
  ['가지', /^(?:마|말|않|못)/u],
  ['건', /^(?:아니|없|어디|뭐|내)/u],
  ['기가', /^(?:막|차|찬|죽|살)/u],
  ['시', /^바삐/u],
];

/** 아이폰 십오 프로 is no percentage. */
export const NOT_AFTER: readonly (readonly [string, RegExp])[] = [
  ['프로', /(?:폰|패드|북|팟|버즈|워치|갤럭시|맥|노트|픽셀)$/u],
];

/** 이 위에, 사 주고, 오 세요: what a short numeral's counter may not end in. */
export const NOT_ENDING: Readonly<Record<string, ReadonlySet<string>>> = {
  // 두 개인 (individuals), 세 주임 (assistants), 두 시야 (views).
  any: setOf(`인 임 라 라고 라는 라도 라면 라서 란 며 고 고요 면 면은 지 지만 니 니까 네 야 든 든지
    나마 이다 든지`),
  위: setOf('에 에는 에도 에서 에서는 에서의 에만 로 로는 의'),
  회: setOf('의 로 로는 로도 로의'),
  주: setOf('는 로 로는 요 네요 지요 죠 의 도'),
  세: setOf('요 로 는'),
  등: setOf('의 을 에 에는 에서 도 만'),
  가지: setOf('는 도 만'),
  시: setOf('네요 죠 지요 도 만'),
  대: setOf('는'),
  권: setOf('하고'),
  도: setOf('로 를 도'),
  호: setOf('를 로'),
  동: setOf('의 이 을 에 은'),
  인: setOf('을 이 은 과 의 도 가'),
  번: setOf('이나'),
};

/** 한 시도 쉬지 않고, 한 시가 급하다. */
export const NOT_ENDING_AFTER_ONE = setOf('도 가 라도 만 를 는');

/** 영하 오 도, 지하 이 층, 최근 이 년: the word before that makes sure of a numeral. */
export const CONFIRMED_BEFORE: readonly (readonly [RegExp, ReadonlySet<string>])[] = [
  [/^(?:연|주|총|약|최대|최소|하루|하루에|매일|매주|매월|매년)$/u, setOf('회')],
  [/^(?:전체|전교|전국|업계|시장|공동|대회)$/u, setOf('등 위')],
  [/^(?:최근|지난|향후|앞으로|약|총|최대|최소|만|무려|불과)$/u, setOf('년 주 배 주년')],
  [/^(?:영하|영상|섭씨|마이너스)$/u, setOf('도')],
  [/^(?:지하|지상)$/u, setOf('층')],
  [/^(?:오전|오후|새벽|밤|낮|저녁|아침)$/u, setOf('시')],
  [/^(?:달|이달|내달)$/u, setOf('일')],
  [/^(?:올해|작년|내년|지난해|전년|재작년)$/u, setOf('분기 월')],
];

/** 이 주 뒤에, 이 년 동안, 이 배 이상, 이 차 회의: the word behind that does. */
export const CONFIRMED_BEHIND: readonly (readonly [string, RegExp])[] = [
  ['년 주 초', /^(?:(?:뒤|후|전)(?:에|에는|부터|까지)?|안에|만에|정도|가량|넘게|남짓|내내)$/u],
  ['년 주', /^차(?:의|에|인|가|는|부터|까지)?$/u],
  ['년 주 초 분 일', /^(?:동안|동안은|만에|이내|이내에)$/u],
  ['년 주 초 배 회 층', /^(?:이상|이하|미만|초과|이내)(?:은|의|이|을|으로|에)?$/u],
  ['인', /^(?:가구|가족|식구|기준|이상|이하|미만|체제|시위|방송|기업)/u],
  ['차', /^(?:회의|협력|산업|면접|시험|평가|심사|협상|추경|공판|토론|모집|접종|발표|세계)/u],
  ['번', /^(?:안건|출구|문항|문제|항목|질문|버튼|버스|선수|타자|슬라이드|테이블|카메라|라인)/u],
];

/** 이 주나 걸렸다: the ending that does. */
export const CONFIRMED_ENDING: readonly (readonly [string, RegExp])[] = [
  ['년 주 초 배', /^(?:이나|나|씩|가량|남짓|동안|만에|정도)/u],
  ['년', /^간/u],
];

/** Tithe, angel and white snake look like numbers without a counter. */
export const isNoNumber = (word: string): boolean => /^(?:십일조|천사만$|백사만$)/u.test(word);

/** Number words that stand for no number: 몇 십만 원, 수 천 명, 여러 만 명. */
const VAGUE = /^(?:몇|몇몇|수|여러)$|^(?:몇|수)[십백천만억조]+여?$/u;

export const isVague = (word: string): boolean => VAGUE.test(word);
