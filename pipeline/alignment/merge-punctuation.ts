import type { TimedWord } from './timed-word.ts';

/** Openai-whisper's marks that open when a space is before them. */
const OPENS_AFTER_SPACE = new Set('"\'“‘¿¡([{-');
/** Marks that open wherever they stand; the East Asian ones have no space before them. */
const ALWAYS_OPENS = new Set('“‘¿¡([{「『（《〈【');

/**
 * Gives punctuation to its words, whose times and confidence stay: a comma would stretch its word
 * into the pause. Opening marks go to the word behind them, all others to the word before; at the
 * start of a text there is only the word behind. A text of marks alone stays one word of marks.
 */
export function mergePunctuation(words: readonly TimedWord[]): TimedWord[] {
  const merged: TimedWord[] = [];
  let marks: TimedWord[] = [];
  for (const word of words) {
    const previous = merged.at(-1);
    if (isSpoken(word)) {
      merged.push({ ...word, text: textOf([...marks, word]) });
      marks = [];
    } else if (previous === undefined || marks.length > 0 || isOpening(word)) {
      marks.push(word);
    } else {
      merged[merged.length - 1] = { ...previous, text: textOf([previous, word]) };
    }
  }
  const last = merged.pop() ?? marks.shift();
  if (last === undefined) return [];
  return [...merged, { ...last, text: textOf([last, ...marks]) }];
}

const textOf = (words: readonly TimedWord[]): string => words.map(({ text }) => text).join('');

const isSpoken = ({ text }: TimedWord): boolean => /[\p{L}\p{N}]/u.test(text);

function isOpening({ text }: TimedWord): boolean {
  const marks = text.startsWith(' ') ? OPENS_AFTER_SPACE : ALWAYS_OPENS;
  const characters = [...text.trim()];
  return (
    characters.length > 0 && characters.every((mark) => marks.has(mark) || ALWAYS_OPENS.has(mark))
  );
}
