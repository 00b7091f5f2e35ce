import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { splitWords } from '../../../../pipeline/alignment/split-words.ts';

/** Tokens as byte strings; text as a byte-level tokenizer decodes it. */
function vocabularyOf(pieces: readonly (string | readonly number[])[]) {
  const bytes = pieces.map((piece) =>
    typeof piece === 'string' ? [...Buffer.from(piece)] : [...piece],
  );
  const textOf = (ids: readonly number[]): string =>
    Buffer.from(ids.flatMap((id) => bytes[id]!)).toString('utf8');
  return { ids: bytes.map((_, id) => id), textOf };
}

function wordsOf(pieces: readonly (string | readonly number[])[], language: string): string[] {
  const { ids, textOf } = vocabularyOf(pieces);
  return splitWords(ids, textOf, language).map(({ text }) => text);
}

const SYLLABLE = [...Buffer.from('안')];

describe('splitWords', () => {
  test('joins the pieces of a word up to the next space', () => {
    expect(wordsOf([' tran', 'scrib', 'ing', ' now'], 'en')).toEqual([' transcribing', ' now']);
    expect(wordsOf([' don', "'t", ' go'], 'en')).toEqual([" don't", ' go']);
  });

  test('makes a mark at the edge of a word a word of its own', () => {
    expect(wordsOf([' (', 'so', ',', ' yes', '.'], 'en')).toEqual([' (so', ',', ' yes', '.']);
  });

  test('keeps numbers, abbreviations and compounds whole', () => {
    expect(wordsOf([' 3', '.', '5', '%'], 'en')).toEqual([' 3.5', '%']);
    expect(wordsOf([' long', '-', 'term', '.'], 'en')).toEqual([' long-term', '.']);
    expect(wordsOf([' U', '.', 'S', '.', ' law'], 'en')).toEqual([' U.S', '.', ' law']);
  });

  test('splits Korean at spaces, particles stay', () => {
    expect(wordsOf([' 안녕', '하세요', ' 회의', '를', ' 시작'], 'ko')).toEqual([
      ' 안녕하세요',
      ' 회의를',
      ' 시작',
    ]);
  });

  test('splits languages without spaces into whole characters', () => {
    expect(wordsOf(['今日', 'は', '会議', '。'], 'ja')).toEqual(['今日', 'は', '会議', '。']);
    const [first, second, third] = [...Buffer.from('会')];
    expect(wordsOf(['今', [first!], [second!, third!], 'を'], 'zh')).toEqual(['今', '会', 'を']);
  });

  test('never cuts a character whose bytes are in several tokens', () => {
    const pieces = [' ', SYLLABLE.slice(0, 1), SYLLABLE.slice(1, 2), SYLLABLE.slice(2), '녕'];
    expect(wordsOf(pieces, 'ko')).toEqual([' 안녕']);
  });

  test('keeps a replacement character that is in the text itself', () => {
    expect(wordsOf([' a', '\uFFFD', ' b'], 'en')).toEqual([' a\uFFFD', ' b']);
  });

  test('keeps an incomplete character at the end', () => {
    const { ids, textOf } = vocabularyOf([' a', SYLLABLE.slice(0, 2)]);
    const words = splitWords(ids, textOf, 'ko');
    expect(words).toEqual([{ text: ' a\uFFFD', tokenCount: 2 }]);
  });

  test('loses no token and no character, wherever the bytes are cut', () => {
    const cuts = fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 40, maxLength: 40 });
    const texts = fc.string({
      unit: fc.constantFrom(' ', 'a', '.', '안', '会', '😀'),
      maxLength: 12,
    });
    const languages = fc.constantFrom('en', 'ko', 'ja');
    fc.assert(
      fc.property(texts, cuts, languages, (text, lengths, language) => {
        const bytes = [...Buffer.from(text)];
        const pieces: number[][] = [];
        while (bytes.length > 0) pieces.push(bytes.splice(0, lengths[pieces.length % 40]!));
        const { ids, textOf } = vocabularyOf(pieces);
        const words = splitWords(ids, textOf, language);
        expect(words.map((word) => word.text).join('')).toBe(text);
        const count = words.reduce((sum, { tokenCount }) => sum + tokenCount, 0);
        expect(count).toBe(ids.length);
      }),
      { numRuns: 1000 },
    );
  });
});
