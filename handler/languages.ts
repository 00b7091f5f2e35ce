import { z } from 'zod';
import { type SpokenLanguage, spokenLanguage } from '../core/languages.ts';
import { type ChineseScript, chineseScriptOf } from '../pipeline/chinese-script.ts';

const MAX_CHARS = 64;
const MAX_CANDIDATES = 128;
const EXPECTED =
  'expected a language code such as "ko", a tag such as "ko-KR", a name such as "korean", or null';

/** What asks for detection. */
const isAuto = (text: string): boolean => ['', 'auto'].includes(text.trim().toLowerCase());

function languageIn(text: string, context: z.RefinementCtx): SpokenLanguage {
  const language = text.length > MAX_CHARS ? undefined : spokenLanguage(text);
  if (language !== undefined) return language;
  context.addIssue({ code: 'custom', message: EXPECTED });
  return z.NEVER;
}

/** The language of a request, in whatever form; null, empty and `auto` are detected, as null. */
export const languageField = z
  .string()
  .nullish()
  .transform((text, context) => (text == null || isAuto(text) ? null : languageIn(text, context)));

/** The languages among which one is detected, each once; none for all that the model knows. */
export const candidatesField = z
  .array(z.string().transform((text, context) => (isAuto(text) ? null : languageIn(text, context))))
  .max(MAX_CANDIDATES)
  .nullish()
  .transform((listed, context): readonly SpokenLanguage[] => {
    const languages = (listed ?? []).filter((language) => language !== null);
    if (languages.length > 0 && languages.length < (listed ?? []).length) {
      context.addIssue({ code: 'custom', message: 'auto stands alone: it is every language' });
    }
    return languages.filter(
      ({ code }, index) => languages.findIndex((other) => other.code === code) === index,
    );
  });

/** What a request says of its language; of a single candidate nothing is to be detected. */
export interface AskedLanguages {
  readonly language: SpokenLanguage | null;
  readonly languages: readonly SpokenLanguage[];
}

/** The language that is given, or as good as given. */
export const givenLanguage = ({ language, languages }: AskedLanguages): SpokenLanguage | null =>
  language ?? (languages.length === 1 ? languages[0]! : null);

/** As text that is understood again. */
export const tagsOf = ({ language, languages }: AskedLanguages) => ({
  language: language?.tag ?? null,
  languages: languages.map(({ tag }) => tag),
});

/** What is wrong with fields that contradict each other; undefined where they do not. */
export function languageConflict({ language, languages }: AskedLanguages): string | undefined {
  if (language === null || languages.length === 0) return undefined;
  if (languages.some(({ code }) => code === language.code)) return undefined;
  return 'must have the language among them, or be left out';
}

/** Refines an object with both fields. @param field name of the candidates */
export function refuseConflict(
  asked: AskedLanguages,
  context: z.RefinementCtx,
  field = 'languages',
): void {
  const message = languageConflict(asked);
  if (message !== undefined) context.addIssue({ code: 'custom', path: [field], message });
}

/** Values of `chinese_script`. */
export const CHINESE_SCRIPTS = ['simplified', 'traditional', 'keep'] as const;

/** The script of the Chinese among the tags that were asked for; null where there is none. */
export function chineseScriptAsked({ language, languages }: AskedTags): ChineseScript | null {
  const scripts = [...(language === null ? [] : [language]), ...languages].map(chineseScriptOf);
  return scripts.find((script) => script !== null) ?? null;
}

interface AskedTags {
  readonly language: string | null;
  readonly languages: readonly string[];
}

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
