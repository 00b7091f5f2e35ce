/**
 * A numeral written together with its counter is another word as often (사회, 이유로, 십분 이해): which
 * it is, by the words around it.
 */

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
  [/^[이일사]집$/u, { before: /^(?:정규|미니|앨범|솔로|데뷔)$/u, after: /^(?:앨범|타이틀|음반)/u }],
  [
    /^[삼사오육칠팔구십]대$/u,
    {
      after:
        /^(?:불가사의|천왕|명절|원칙|강국|도시|미스터리|뮤지컬|메이저|영화제|성인|종교|명산|과제|항공사|기획사|은행|백화점|명품|뉴스|요소|관광지)/u,
    },
  ],
  [/^이점$/u, { tail: /^대/u }],
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
        /월$|[이삼사오육칠]에서$|^(?:주|총|매월|모두|지난|오는|매달|이달|내달|이달|달|약|최소|최대|무려|불과|단)$/u,
      tail: /^(?:간|동안|째|자|경|부터|까지|날)/u,
      after:
        /^(?:날|동안|뒤|후|전|만에|남|연속|내내|이내|째|밤|자정|새벽|오전|오후|아침|저녁|점심|현재|걸[리려렸]|[월화수목금토일]요일)/u,
    },
  ],
  // 이십일에 is the twentieth: 21 has no such particle.
  [/십일$/u, { tail: /^(?:에|에는|에도)$/u }],
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
      tail: /^(?:전|후|뒤|동안|만에|째|차|제|간|정도|반|이상|이내|넘)/u,
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
  [
    /..도$/u,
    {
      tail: /./u,
      after: new RegExp(
        `^(?:${MORE_OR_LESS}|기울|회전|각도|방향|달라|바뀌|변|소주|위스키|올라|올랐|내려|떨어|높|낮)`,
        'u',
      ),
    },
  ],
  [
    /도$/u,
    {
      before:
        /(?:영하|영상|섭씨|화씨|기온|온도|체온|수온|각도|경사|위도|경도|북위|남위|동경|서경|도수|마이너스|최고|최저)[이가는은도]?$/u,
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
