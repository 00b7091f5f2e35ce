import type { Segment } from './contracts.ts';

/** How Chinese is written; Whisper writes either as it likes, and both in one recording. */
export type ChineseScript = 'simplified' | 'traditional';

type Convert = (text: string) => string;

/** The script in which a language is written, by its code or BCP 47 tag; null where it is not Chinese. */
export function chineseScriptOf(tag: string): ChineseScript | null {
  if (!/^(?:zh|yue)(?:-|$)/i.test(tag)) return null;
  return new Intl.Locale(tag).maximize().script === 'Hant' ? 'traditional' : 'simplified';
}

/**
 * Character by character and by phrases (OpenCC), with Taiwan's forms of traditional characters.
 * Loaded when first asked for: a tenth of a second for simplified, most of one for traditional.
 */
async function chineseConverter(script: ChineseScript): Promise<Convert> {
  if (script === 'simplified') {
    const { Converter } = await import('opencc-js/t2cn');
    return Converter({ from: 't', to: 'cn' });
  }
  const { Converter } = await import('opencc-js/cn2t');
  return Converter({ from: 'cn', to: 'tw' });
}

/** What is asked for; null: the script of the language that was given or heard. */
export type ScriptChoice = ChineseScript | 'keep' | null;

/** Rewrites segments of a language that is written in Chinese characters; others stay as they are. */
export type WriteChinese = (segment: Segment, language: string) => Segment;

/**
 * @param languages those that may be among the segments; converters of no other are loaded.
 */
export async function chineseWriter(
  choice: ScriptChoice,
  languages: readonly string[],
): Promise<WriteChinese> {
  const converters = new Map<ChineseScript, Convert>();
  for (const language of languages) {
    const script = scriptFor(choice, language);
    if (script !== null && !converters.has(script)) {
      converters.set(script, await converterOf(script));
    }
  }
  return (segment, language) => {
    const script = scriptFor(choice, language);
    const convert = script === null ? undefined : converters.get(script);
    if (!convert) return segment;
    const { text, words } = segment;
    return { ...segment, text: convert(text), words: convertWords(words, convert) };
  };
}

/** The words of a live window. */
export async function chineseWords<Word extends { readonly text: string }>(
  words: readonly Word[],
  choice: ScriptChoice,
  language: string,
): Promise<readonly Word[]> {
  const script = scriptFor(choice, language);
  return script === null ? words : convertWords(words, await converterOf(script));
}

function scriptFor(choice: ScriptChoice, language: string): ChineseScript | null {
  const own = chineseScriptOf(language);
  if (own === null || choice === 'keep') return null;
  return choice ?? own;
}

const loaded = new Map<ChineseScript, Promise<Convert>>();

function converterOf(script: ChineseScript): Promise<Convert> {
  const converter = loaded.get(script) ?? chineseConverter(script);
  loaded.set(script, converter);
  return converter;
}

/** Phrases go across words: they are converted as one text and cut where they were. */
function convertWords<Word extends { readonly text: string }>(
  words: readonly Word[],
  convert: Convert,
): Word[] {
  const texts = words.map(({ text }) => text);
  const characters = [...convert(texts.join(''))];
  const lengths = texts.map((text) => [...text].length);
  const total = lengths.reduce((sum, length) => sum + length, 0);
  if (characters.length !== total)
    return words.map((word) => ({ ...word, text: convert(word.text) }));
  let at = 0;
  return words.map((word, index) => {
    const start = at;
    at += lengths[index]!;
    return { ...word, text: characters.slice(start, at).join('') };
  });
}
