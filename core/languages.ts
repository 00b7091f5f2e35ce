/** Whisper's languages in the order of their tokens; the hundredth came with large-v3. */
export const WHISPER_LANGUAGES: readonly string[] =
  'en zh de es ru ko fr ja pt tr pl ca nl ar sv it id hi fi vi he uk el ms cs ro da hu ta no th ur hr bg lt la mi ml cy sk te fa lv bn sr az sl kn et mk br eu is hy ne mn bs kk sq sw gl mr pa si km sn yo so af oc ka be tg sd gu am yi lo uz fo ht ps tk nn mt sa lb my bo tl mg as tt haw ln ha ba jw su yue'.split(
    ' ',
  );

/** A language as a caller meant it. */
export interface SpokenLanguage {
  /** Whisper's code. */
  readonly code: string;
  /** Canonical BCP 47 tag with the script and the region that were asked for, as `zh-Hant-TW`. */
  readonly tag: string;
}

/** Names of OpenAI's tokenizer that differ from Unicode's. */
const OPENAI_NAMES = new Map([
  ['mi', 'maori'],
  ['bn', 'bengali'],
  ['nn', 'nynorsk'],
  ['my', 'myanmar'],
  ['tl', 'tagalog'],
]);

/** Names that Intl does not have; most are those of OpenAI's command line. */
const ALIASES = Object.entries({
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
  farsi: 'fa',
  bokmal: 'nb',
  'bahasa indonesia': 'id',
  'bahasa melayu': 'ms',
});

/** What Intl calls otherwise than Whisper, and languages that Whisper writes under another's code. */
const NAMED_TAGS = [...WHISPER_LANGUAGES, 'nb', 'zh-Hans', 'zh-Hant'];

const displayNames = (locale: string) =>
  new Intl.DisplayNames([locale], { type: 'language', fallback: 'none' });
const englishNames = displayNames('en');

/** Intl has current codes (`jv`, `fil`) where Whisper has older ones (`jw`, `tl`). */
const CODES = new Map([
  ...WHISPER_LANGUAGES.map((code) => [new Intl.Locale(code).language, code] as const),
  ['nb', 'no'] as const,
]);

/** Names by which a language is called in English, in Korean and by its own speakers. */
let tagsByName: ReadonlyMap<string, string> | undefined;

/**
 * The language of a code of ISO 639-1, -2 or -3, a BCP 47 tag, or a name in English, Korean or the
 * language itself, in any case; undefined for what Whisper does not know.
 */
export function spokenLanguage(text: string): SpokenLanguage | undefined {
  tagsByName ??= namesOfLanguages();
  const name = comparable(text);
  const tag = tagsByName.get(name) ?? canonicalTag(name);
  const code = tag && CODES.get(new Intl.Locale(tag).language);
  return code && tag ? { code, tag } : undefined;
}

/** The English name of a code, in lower case, as OpenAI writes it. */
export const languageNameOf = (code: string): string =>
  OPENAI_NAMES.get(code) ?? englishNames.of(code)?.toLowerCase() ?? code;

/** Every part of it is known to Intl; `zh-yue` is an older spelling of `yue`. */
function canonicalTag(text: string): string | undefined {
  try {
    const [tag = ''] = Intl.getCanonicalLocales(
      text.replaceAll('_', '-').replace(/^zh-(?=cmn|yue)/i, ''),
    );
    return englishNames.of(tag) === undefined ? undefined : tag;
  } catch {
    return undefined; // It is not a tag.
  }
}

function namesOfLanguages(): ReadonlyMap<string, string> {
  const names = new Map(ALIASES);
  for (const code of NAMED_TAGS) {
    const [tag = code] = Intl.getCanonicalLocales(code);
    for (const locale of ['en', 'ko', tag]) {
      const name = displayNames(locale).of(tag);
      if (name !== undefined) names.set(comparable(name), tag);
    }
    names.set(comparable(languageNameOf(code)), tag);
  }
  return names;
}

/** Without case, accents and the width of letters. */
const comparable = (name: string): string =>
  name.normalize('NFKD').replaceAll(/\p{M}/gu, '').trim().toLowerCase();
