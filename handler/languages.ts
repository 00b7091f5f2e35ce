/** English names of the languages that Whisper knows, by the codes of its own vocabulary. */
const LANGUAGE_NAMES = new Map(
  Object.entries({
    en: 'english',
    zh: 'chinese',
    de: 'german',
    es: 'spanish',
    ru: 'russian',
    ko: 'korean',
    fr: 'french',
    ja: 'japanese',
    pt: 'portuguese',
    tr: 'turkish',
    pl: 'polish',
    ca: 'catalan',
    nl: 'dutch',
    ar: 'arabic',
    sv: 'swedish',
    it: 'italian',
    id: 'indonesian',
    hi: 'hindi',
    fi: 'finnish',
    vi: 'vietnamese',
    he: 'hebrew',
    uk: 'ukrainian',
    el: 'greek',
    ms: 'malay',
    cs: 'czech',
    ro: 'romanian',
    da: 'danish',
    hu: 'hungarian',
    ta: 'tamil',
    no: 'norwegian',
    th: 'thai',
    ur: 'urdu',
    hr: 'croatian',
    bg: 'bulgarian',
    lt: 'lithuanian',
    la: 'latin',
    mi: 'maori',
    ml: 'malayalam',
    cy: 'welsh',
    sk: 'slovak',
    te: 'telugu',
    fa: 'persian',
    lv: 'latvian',
    bn: 'bengali',
    sr: 'serbian',
    az: 'azerbaijani',
    sl: 'slovenian',
    kn: 'kannada',
    et: 'estonian',
    mk: 'macedonian',
    br: 'breton',
    eu: 'basque',
    is: 'icelandic',
    hy: 'armenian',
    ne: 'nepali',
    mn: 'mongolian',
    bs: 'bosnian',
    kk: 'kazakh',
    sq: 'albanian',
    sw: 'swahili',
    gl: 'galician',
    mr: 'marathi',
    pa: 'punjabi',
    si: 'sinhala',
    km: 'khmer',
    sn: 'shona',
    yo: 'yoruba',
    so: 'somali',
    af: 'afrikaans',
    oc: 'occitan',
    ka: 'georgian',
    be: 'belarusian',
    tg: 'tajik',
    sd: 'sindhi',
    gu: 'gujarati',
    am: 'amharic',
    yi: 'yiddish',
    lo: 'lao',
    uz: 'uzbek',
    fo: 'faroese',
    ht: 'haitian creole',
    ps: 'pashto',
    tk: 'turkmen',
    nn: 'nynorsk',
    mt: 'maltese',
    sa: 'sanskrit',
    lb: 'luxembourgish',
    my: 'myanmar',
    bo: 'tibetan',
    tl: 'tagalog',
    mg: 'malagasy',
    as: 'assamese',
    tt: 'tatar',
    haw: 'hawaiian',
    ln: 'lingala',
    ha: 'hausa',
    ba: 'bashkir',
    jw: 'javanese',
    su: 'sundanese',
    yue: 'cantonese',
  }),
);

/** Further names that OpenAI's command line accepts, and the standard's code for Javanese. */
const ALIASES = Object.entries({
  burmese: 'my',
  valencian: 'ca',
  flemish: 'nl',
  haitian: 'ht',
  letzeburgesch: 'lb',
  pushto: 'ps',
  panjabi: 'pa',
  moldavian: 'ro',
  moldovan: 'ro',
  sinhalese: 'si',
  castilian: 'es',
  mandarin: 'zh',
  jv: 'jw',
});

const CODES_BY_NAME = new Map([
  ...ALIASES,
  ...[...LANGUAGE_NAMES].map(([code, name]) => [name, code] as const),
  ...[...LANGUAGE_NAMES.keys()].map((code) => [code, code] as const),
]);

/** The English name of a code, in lower case, as OpenAI writes it. */
export const languageNameOf = (code: string): string => LANGUAGE_NAMES.get(code) ?? code;

export const LANGUAGE_CODES: readonly string[] = [...LANGUAGE_NAMES.keys()];

/** Whisper's code of a code, a code with a region (`ko-KR`) or an English name, in any case. */
export function languageCodeOf(codeOrName: string): string | undefined {
  const normalized = codeOrName.trim().toLowerCase();
  return CODES_BY_NAME.get(normalized) ?? CODES_BY_NAME.get(withoutRegion(normalized));
}

const withoutRegion = (code: string): string =>
  /^([a-z]{2,3})[-_](?:[a-z]{2}|[a-z]{4}|\d{3})$/.exec(code)?.[1] ?? code;

/** Languages whose sentences are written one after the other without a space. */
const WRITTEN_WITHOUT_SPACES: ReadonlySet<string> = new Set([
  'ja',
  'zh',
  'yue',
  'th',
  'lo',
  'my',
  'km',
]);

/** Texts of successive segments as one text, in the manner of the language. */
export function joinTexts(texts: readonly string[], language: string): string {
  if (!WRITTEN_WITHOUT_SPACES.has(language)) return texts.join(' ');
  return texts.reduce((joined, text) => joined + (isLatinSeam(joined, text) ? ' ' : '') + text, '');
}

/** Latin words keep their space even inside Japanese. */
const isLatinSeam = (before: string, after: string): boolean =>
  isVisibleAscii(before.at(-1)) && isVisibleAscii(after.at(0));

const isVisibleAscii = (character = ''): boolean => /^[\x21-\x7e]$/.test(character);
