/** Names of the letters as they are said in Korean. */
export const LETTER_NAMES: Readonly<Record<string, string>> = {
  ...{ A: '에이', B: '비', C: '시', D: '디', E: '이', F: '에프', G: '지', H: '에이치', I: '아이' },
  ...{ J: '제이', K: '케이', L: '엘', M: '엠', N: '엔', O: '오', P: '피', Q: '큐', R: '알' },
  ...{ S: '에스', T: '티', U: '유', V: '브이', W: '더블유', X: '엑스', Y: '와이', Z: '제트' },
};

/** Terms that are not read as their letters and numbers are. */
export const READ_OTHERWISE: Readonly<Record<string, string>> = {
  'COVID-19': '코비드 십구',
  COVID19: '코비드 십구',
  A4: '에이포',
  A3: '에이쓰리',
  MP3: '엠피쓰리',
  MP4: '엠피포',
  B2B: '비투비',
  B2C: '비투시',
  P2P: '피투피',
  O2O: '오투오',
  '2D': '투디',
  '3D': '쓰리디',
  '4K': '포케이',
  G7: '지세븐',
  '1+1': '원 플러스 원',
};

/** Days of history, by their digits (삼일절, 사일구 혁명). */
export const DAYS_OF_HISTORY: Readonly<Record<string, string>> = {
  ...{ '3·1': '삼일', '4·3': '사삼', '4·19': '사일구', '5·16': '오일육', '5·18': '오일팔' },
  ...{ '6·10': '육십', '6·25': '육이오', '6·29': '육이구', '8·15': '팔일오', '10·26': '십이육' },
  ...{ '12·12': '십이십이' },
};

/** Signs and abbreviations behind a number, as the counters that they stand for. */
export const UNIT_SIGNS: Readonly<Record<string, string>> = {
  ...{ '%p': '퍼센트포인트', '%': '퍼센트', '℃': '도', '°C': '도', '°': '도' },
  ...{
    km: '킬로미터',
    m: '미터',
    cm: '센티미터',
    mm: '밀리미터',
    '㎞': '킬로미터',
    '㎝': '센티미터',
  },
  ...{ '㎜': '밀리미터', kg: '킬로그램', g: '그램', mg: '밀리그램', '㎏': '킬로그램', t: '톤' },
  ...{ L: '리터', l: '리터', mL: '밀리리터', ml: '밀리리터', '㎡': '제곱미터', 'm²': '제곱미터' },
  ...{ KB: '킬로바이트', MB: '메가바이트', GB: '기가바이트', TB: '테라바이트', Hz: '헤르츠' },
  ...{ kHz: '킬로헤르츠', MHz: '메가헤르츠', GHz: '기가헤르츠', kW: '킬로와트', kWh: '킬로와트시' },
  ...{ dB: '데시벨', kcal: '킬로칼로리', ms: '밀리초' },
};

/** Signs before an amount, as the counters that are read behind it. */
export const CURRENCY_SIGNS: Readonly<Record<string, string>> = {
  ...{ $: '달러', '₩': '원', '￦': '원', '€': '유로', '£': '파운드', '¥': '엔' },
};
