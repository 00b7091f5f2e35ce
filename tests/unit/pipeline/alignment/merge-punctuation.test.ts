import { describe, expect, test } from 'vitest';
import { mergePunctuation } from '../../../../pipeline/alignment/merge-punctuation.ts';

const timed = (texts: readonly string[]) =>
  texts.map((text, i) => ({ text, start: 10 * i, end: 10 * i + 10, confidence: 1 }));
const textsOf = (texts: readonly string[]): string[] =>
  mergePunctuation(timed(texts)).map(({ text }) => text);

describe('mergePunctuation', () => {
  test('closing marks go to the word before, however many', () => {
    expect(textsOf([' Yes', ',', ' no', '?', '!', '"'])).toEqual([' Yes,', ' no?!"']);
    expect(textsOf(['今日', '。', '会議', '、'])).toEqual(['今日。', '会議、']);
  });

  test('opening marks go to the word behind', () => {
    expect(textsOf([' He', ' "', 'said', ' (', 'so', ')'])).toEqual([' He', ' "said', ' (so)']);
    expect(textsOf(['彼', '「', 'はい', '」'])).toEqual(['彼', '「はい」']);
  });

  test('a word keeps its times and confidence', () => {
    const [first, second] = mergePunctuation(timed([' Yes', ',', ' (', 'no']));
    expect(first).toEqual({ text: ' Yes,', start: 0, end: 10, confidence: 1 });
    expect(second).toEqual({ text: ' (no', start: 30, end: 40, confidence: 1 });
  });

  test('a mark that belongs to nobody joins the word before, at the start the one behind', () => {
    expect(textsOf([' well', ' —', ' yes'])).toEqual([' well —', ' yes']);
    expect(textsOf([' ♪', ' la'])).toEqual([' ♪ la']);
    expect(textsOf([' end', ' ('])).toEqual([' end (']);
  });

  test('marks alone stay one word', () => {
    expect(textsOf([' ♪', ' ♪'])).toEqual([' ♪ ♪']);
    expect(mergePunctuation([])).toEqual([]);
  });
});
