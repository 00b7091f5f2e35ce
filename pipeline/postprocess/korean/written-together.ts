/**
 * Numerals written together with their counter: 두건, 백미터, 이개국. A numeral of one syllable makes
 * other words with many counters (사회, 이유로, 구분), so that these are tables: what is always a
 * number, and what is one by the words around it.
 */

const DIGITS = '일 이 삼 사 오 육 칠 팔 구 십';
const UNITS = `${DIGITS} 백 천`;
const FEW = '한 두 세 네 열';

/** Counters that make no other word with any numeral of one syllable. */
const UNMISTAKABLE = `
  킬로미터 킬로그램 킬로 키로미터 키로그램 키로 미터 센티미터 쎈티미터 센치미터 센티 쎈티 센치 쎈치 밀리미터
  밀리그램 밀리리터 밀리 리터 그램 그람 제곱미터 평방미터 제곱킬로미터 세제곱미터 입방미터 헥타르 에이커 인치 피트
  마일 야드 온스 갤런 캐럿 칼로리 킬로칼로리 킬로와트 킬로와트시 데시벨 헤르츠 바이트 킬로바이트 메가바이트
  기가바이트 테라바이트 메가헤르츠 기가헤르츠 픽셀 화소 마력 기압 헥토파스칼 씨씨 볼트 와트 암페어 메가와트 기가와트 마이크로미터 마이크로그램
  나노미터 밀리초 나노초 메가비트 기가비트 파스칼 럭스 루멘 경기 배럴 달러
  파운드 위안 루블 루피 페소 프랑 퍼센트 퍼센트포인트 개월 개년 개국 개사 개교 개팀 개구단 개부처 개지역 개도시
  개대학 개업체 개기관 개종목 개분야 개부문 개언어 개노선 개시군 개시도 개단체 개점포 개매장 주년 인분 호선 호기
  회차 교시 단지 단계 등급 라운드 라운더 이닝 안타 타수 타석 타점 득점 실점 연승 연패 연전 차선 차원 인칭 번지 부작`;

const ROWS: readonly (readonly [string, string])[] = [
  [UNMISTAKABLE, UNITS],
  ['학년 학기 주차', DIGITS],
  ['분기 쿼터', '일 이 삼 사'],
  ['루', '일 삼'],
  ['세대', '일 이 삼 사 오'],
  ['층', DIGITS],
  ['박', '일 이 삼 사 오 칠 팔 십'],
  ['페이지', '일 삼 사 오 육 칠 팔 구 십 백'],
  ['유로', '일 삼 육 칠 팔 십 백 천'],
  ['톤 평', '일 삼 오 육 칠 팔 구 십 백 천'],
  ['프로', '일 삼 사 오 육 칠 팔 구 십 백'],
  ['테라', '일 삼 사 오 육 칠 팔 구 십'],
  ['메가', '일 이 삼 사 육 칠 팔 구 십 백'],
  ['기가', '육 팔 십 백'],
  ['년', '일 삼 사 오 육 칠 팔 구 십'],
  ['월', '일 삼 사 오 육 칠 팔 구'],
  ['일', '삼 사 육 칠 팔 구'],
  ['분', '일 삼 사 오 육 칠 팔'],
  ['초', '일 이 삼 오 육 칠 팔 구 십'],
  ['위', '일 이 삼 오 육 칠 팔 십'],
  ['등', '일 이 삼 사 육 칠 팔 십'],
  ['차', '일 삼 사 육 칠 팔'],
  ['회', '일 이 삼 칠 팔 구 십'],
  ['번', '일 삼 오 육 칠 팔 구 십 두 세 네 열'],
  ['점', '일 삼 육 칠 팔 구 십'],
  ['세', '육 칠 팔 십'],
  ['반', '삼 육 칠 팔'],
  ['급', '육 칠 팔'],
  ['관', '육 칠 팔 십'],
  ['화', '육 칠 팔 십'],
  ['강', '사 팔'],
  ['동', '육 칠 팔'],
  ['홀', '일 삼 사 오 육 칠 팔 구 십'],
  ['승', '일 삼 오 육 칠 팔 구 십'],
  ['패', '일 이 삼 사 오 육 칠 팔 구 십'],
  ['주', '삼 오 육 칠 팔 십'],
  ['원', '십 백 천 만'],
  ['불 엔', '백 천'],
  ['명', `${FEW} 십 백 만`],
  ['개', `${FEW} 십 백 천`],
  ['시', '두 세 네 열'],
  ['시간 마리 권 송이 그루 켤레 자루 조각 그릇 접시 컵 박스 상자 봉지 방울 모금 묶음 바퀴', FEW],
  ['살', `${FEW} 쉰`],
  ['세트', '일 이 삼 사 오 두 세 네 열'],
  ['가구 개소 문제 문항 과목 문장 곳 군데 번째 곡 골 채 판', '두 세 네 열'],
  ['달 장 잔', '두 세 네 열 석 넉'],
  ['가지 종류 차례 그룹 편', '두 세 열'],
  ['건', '세 네 열'],
  ['병', '한 두 세 네'],
  ['끼 포기', '두 세 네'],
  ['배 줄 칸', '두 네 열'],
  ['쌍', '두 세 네 열'],
  ['통', '네 열'],
  ['대 척', '두 네'],
];

const clear = new Map<string, Set<string>>();
for (const [counters, numerals] of ROWS) {
  for (const counter of counters.trim().split(/\s+/))
    clear.set(counter, new Set(numerals.split(' ')));
}

/** Whether a numeral of one syllable makes no other word with the counter at its end. */
export const isClearTogether = (numeral: string, counter: string): boolean =>
  clear.get(counter)?.has(numeral) ?? false;

/** What stands around a word: any of them makes sure of it. */
interface Sign {
  readonly before?: RegExp;
  readonly tail?: RegExp;
  readonly after?: RegExp;
}

const DURATION = '동안|만에|정도|가량|남짓|넘게|내내|연속|이내';
const MORE_OR_LESS = '이상|이하|미만|초과|이내|안팎|내외|가량|정도|남짓';
/** Places and things in a list: 이번 홈, 사번 출구. */
const NUMBERED =
  '출구|출입구|창구|플랫폼|승강장|탑승구|게이트|트랙|레인|아이언|우드|국도|홈(?:에|으|은|이)';
const GROWN = '늘|증가|많|빠|비싸|비싼|커|크|높|뛰|올|오르|올랐|차이|가까|넘|더';

/** Words that are numbers only beside these. */
const IN_CONTEXT: readonly (readonly [RegExp, Sign])[] = [
  [/^(?:이|사|백)번$/u, { after: new RegExp(`^(?:${NUMBERED})`, 'u') }],
  [/^사번$/u, { tail: /^(?:타자|출구|버스|창구|국도|선수|문제)/u }],
  [/^이루$/u, { tail: /^[수타]/u }],
  [/^[일이삼사]부$/u, { tail: /^리그/u, after: /^(?:리그|투어)/u }],
  [/^(?:사|백)번$/u, { after: /^(?:버스|타자|문제|선수|문항)/u }],
  [
    /^이차$/u,
    {
      tail: /^까지/u,
      after: /^(?:회의|협력|면접|시험|심사|협상|추경|공판|접종|세계|대전|남북|시도|감염)/u,
    },
  ],
  [
    /^이월$/u,
    {
      before: /^(?:올해|내년|작년|지난|지난해|매년|다음|오는|재작년)$/u,
      tail: /^(?:에|부터|까지|말|초|중|경)/u,
      after: /^(?:달|말|초|중순|하순|상순|호$|현재)/u,
    },
  ],
  [
    /[오십백천]일$/u,
    {
      before:
        /월$|^(?:주|총|모두|지난|오는|매달|매월|이달|내달|이달|달|약|최소|최대|무려|불과|단)$/u,
      tail: /^(?:간|동안|째|자|경|부터|까지|날)/u,
      after:
        /^(?:날|동안|뒤|후|전|만에|남|연속|내내|이내|째|밤|자정|새벽|오전|오후|아침|저녁|점심|현재|걸[리려렸]|[월화수목금토일]요일)/u,
    },
  ],
  [
    /^(?:이|사)주$/u,
    {
      before: /^(?:약|최소|최근|향후|앞으로|무려)$/u,
      tail: /^(?:동안|정도|만에|째|간|가량|넘)/u,
      after: new RegExp(`^(?:${DURATION})`, 'u'),
    },
  ],
  [
    /^(?:이|백|천)년$/u,
    {
      before: /^(?:약|최근|향후|총|무려|만)$/u,
      tail: /^(?:전|후|뒤|동안|만에|째|차|간|정도|반|이상|이내|넘)/u,
      after: new RegExp(`^(?:전|후|뒤|반|째|차|간|이상|${DURATION})`, 'u'),
    },
  ],
  [
    /^십분$/u,
    {
      tail: /^(?:간|동안|만|뒤|후|전|정도|쯤|이상|이내|거리|씩|마다|짜리|째|밖에|이면|이나|안에|이요|입니다|이에요)/u,
      after:
        /^(?:동안|만에|뒤|후|전|정도|이상|이내|내|거리|걸|남|간격|단위|일찍|늦|안에|더|째|넘|가량|지나|지났|밖|소요|휴식|쉬|먼저)/u,
    },
  ],
  [/^이분$/u, { tail: /^(?:간|동안|짜리)/u, after: /^(?:동안|이내|만에)/u }],
  [
    /^한시$/u,
    {
      before: /^(?:오전|오후|낮|밤|새벽)$/u,
      tail: /^(?:까지|부터|쯤|반|이후|경|정각)/u,
      after: /^(?:반|쯤|이후|정각|[일이삼사오]?십[일이삼사오육칠팔구]?분)/u,
    },
  ],
  [/^[한두세네]시$/u, { before: /^(?:오전|오후|낮|밤|새벽|아침|저녁)$/u }],
  [
    /^두건$/u,
    {
      before:
        /(?:신고|사고|사건|주문|계약|민원|문의|접수|총|각각|최소|최대|약|모두)[이가는은을를도]?$/u,
      tail: /^(?:이상|이하|이나|씩|정도)/u,
      after: new RegExp(`^(?:${MORE_OR_LESS}|발생|접수|들어|있|모두|다$)`, 'u'),
    },
  ],
  [
    /^[세이삼사오육칠팔구십백천]배$/u,
    {
      tail: /^(?:이상|가량|정도)/u,
      after: new RegExp(`^(?:${MORE_OR_LESS}|${GROWN})`, 'u'),
    },
  ],
  [
    /^[일이삼사오구]세$/u,
    {
      before: /^(?:만|생후|당시)$/u,
      tail: /^(?:이상|이하|미만)/u,
      after: /^(?:미만|이상|이하|아동|유아|여아|남아|어린이|소녀|소년|때)/u,
    },
  ],
  [
    /^[사오육]회$/u,
    {
      before: /^(?:연|총|약|최소|최대|매주|매월|매년|하루|주)$/u,
      tail: /^(?:[말초]|이상|이하|이나)/u,
      after: new RegExp(`^(?:[말초](?:$|에)|연속|째|${MORE_OR_LESS})`, 'u'),
    },
  ],
  [/^[일이사오구]반$/u, { before: /학년$/u }],
  [
    /^[이사오백]점$/u,
    { before: /점(?:은|이|을|과)?$|^(?:시력|평균)$/u, after: /^(?:차|만점|감점|이상|이하|이내)/u },
  ],
  [/^[일이삼사오구]급$/u, { after: /^(?:공무원|장애|자격|시험|기밀|하천)/u }],
  [/^[이삼사오육칠팔]선$/u, { after: /^(?:의원|국회의원|시장|구청장|군수|도지사)/u }],
  [
    /^[일이삼사오육칠팔구십]인$/u,
    { tail: /^(?:실|승|용|조|석|당)/u, after: /^(?:가구|가족|식구|기준|체제|식탁|이상|이하)/u },
  ],
  [
    /^(?:천|만)(?:명|개)$/u,
    {
      before: /^(?:약|총|무려|최소|최대)$/u,
      tail: /^(?:이상|이하|정도|이나|쯤|씩)/u,
      after: new RegExp(`^(?:${MORE_OR_LESS}|넘)`, 'u'),
    },
  ],
  // The particle 도 has no other behind it: 십구도입니다, but 백만도 안 된다.
  [/..도$/u, { tail: /./u }],
  [
    /도$/u,
    {
      before:
        /(?:영하|영상|섭씨|화씨|기온|온도|체온|수온|각도|경사|위도|경도|북위|남위|동경|서경|도수|마이너스|최고|최저)[이가는은도]?$/u,
      after: new RegExp(`^(?:${MORE_OR_LESS}|기울|회전|각도|방향|올라|올랐|내려|떨어|높|낮)`, 'u'),
    },
  ],
];

/** Numbers but for what stands around them: 만원 버스, 삼일 운동. */
const NOT_IN_CONTEXT: readonly (readonly [RegExp, Sign])[] = [
  [
    /^만원$/u,
    {
      before: /(?:버스|지하철|전철|열차|엘리베이터|객석|좌석|경기장|극장)[이가는은도]?$/u,
      tail: /^이(?:라|었)/u,
      after: /^(?:버스|지하철|전철|열차|관중|사례|엘리베이터)/u,
    },
  ],
  // 1 사분기 is the first of four.
  [/^사분기$/u, { before: /^[1-4일이삼사]$/u }],
  [/^삼일$/u, { after: /^(?:운동|독립|만세|정신|천하|혁명)/u }],
  [/^세시$/u, { after: /^(?:풍속|명절)/u }],
  [/^[일삼사오육칠팔]분$/u, { tail: /^의/u }],
  // 백만도 안 된다: not even a million.
  [/만도$/u, { tail: /^$|./u }],
];

/** Numeral and counter that are another word: 백일장, 백사장, 사천시, 구천동. */
const OTHER_WORDS = new Set('백일장 백사장 구천동 백세주 일조일석 만천하'.split(' '));

/** Where a word stands: what it ends in, and the words beside it without their marks. */
export interface Place {
  readonly tail: string;
  readonly before: string;
  readonly after: string;
}

const hasSign = (
  table: readonly (readonly [RegExp, Sign])[],
  word: string,
  { tail, before, after }: Place,
): boolean =>
  table.some(
    ([pattern, sign]) =>
      pattern.test(word) &&
      ((sign.tail?.test(tail) ?? false) ||
        (sign.before?.test(before) ?? false) ||
        (sign.after?.test(after) ?? false)),
  );

/** Whether the words around it make sure of a numeral and its counter in one word. */
export const isClearInPlace = (word: string, place: Place): boolean =>
  hasSign(IN_CONTEXT, word, place);

/** Whether it is another word there, whatever its numeral. */
export const isOtherWord = (word: string, place: Place): boolean =>
  OTHER_WORDS.has(word) || hasSign(NOT_IN_CONTEXT, word, place);
