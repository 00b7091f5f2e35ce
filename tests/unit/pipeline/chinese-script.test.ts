import { describe, expect, test } from 'vitest';
import { chineseScriptOf, chineseWords, chineseWriter } from '../../../pipeline/chinese-script.ts';
import type { Segment } from '../../../pipeline/contracts.ts';

const TRADITIONAL = '我們在臺灣開發軟體，頭髮很長，裡面只有一隻貓。';
const SIMPLIFIED = '我们在台湾开发软体，头发很长，里面只有一只猫。';

const wordsOf = (texts: readonly string[]) =>
  texts.map((text, index) => ({ text, range: { start: index, end: index + 1 }, confidence: 0.5 }));
const segmentOf = (texts: readonly string[]): Segment => ({
  ...{ text: texts.join(''), range: { start: 0, end: texts.length }, words: wordsOf(texts) },
  ...{ confidence: 0.5, avgLogProb: -0.1, noSpeechProb: 0, compressionRatio: 1, temperature: 0 },
});
const pairs = (text: string): string[] => text.match(/..?/gu) ?? [];

test.each([
  ['zh', 'simplified'],
  ['zh-CN', 'simplified'],
  ['zh-SG', 'simplified'],
  ['zh-Hans-CN', 'simplified'],
  ['zh-Hans-TW', 'simplified'],
  ['zh-TW', 'traditional'],
  ['zh-HK', 'traditional'],
  ['zh-MO', 'traditional'],
  ['zh-Hant', 'traditional'],
  ['yue', 'traditional'],
  ['ko', null],
  ['ja-JP', null],
  ['', null],
] as const)('the script of "%s" is %s', (tag, script) => {
  expect(chineseScriptOf(tag)).toBe(script);
});

describe('a segment in Chinese', () => {
  test.each([
    ['simplified', TRADITIONAL, SIMPLIFIED],
    ['simplified', SIMPLIFIED, SIMPLIFIED],
    ['traditional', SIMPLIFIED, TRADITIONAL],
    ['traditional', TRADITIONAL, TRADITIONAL],
    ['keep', TRADITIONAL, TRADITIONAL],
    [null, TRADITIONAL, SIMPLIFIED],
  ] as const)(
    'asked for in %s, %s is written %s, its words alike',
    async (choice, given, wanted) => {
      const write = await chineseWriter(choice, ['zh']);
      const written = write(segmentOf(pairs(given)), 'zh');
      expect(written.text).toBe(wanted);
      expect(written.words).toEqual(wordsOf(pairs(wanted)));
    },
  );

  test('is converted with the words beside it: 发 is 髮 behind 头, and 發 before 展', async () => {
    const write = await chineseWriter('traditional', ['zh']);
    const { words } = write(segmentOf(['头', '发', '发', '展']), 'zh');
    expect(words.map(({ text }) => text)).toEqual(['頭', '髮', '發', '展']);
  });

  test('is the only one that changes in a recording of several languages', async () => {
    const write = await chineseWriter('simplified', ['ja', 'zh']);
    const japanese = segmentOf(['軟體', 'の', '開發']);
    expect(write(japanese, 'ja')).toBe(japanese);
    expect(write(japanese, 'zh').text).toBe('软体の开发');
  });
});

test('the words of a live window keep their times and their spaces', async () => {
  const words = wordsOf([' 軟體', '開發', ' OK']);
  const written = await chineseWords(words, 'simplified', 'zh');
  expect(written).toEqual(wordsOf([' 软体', '开发', ' OK']));
  expect(await chineseWords(words, 'simplified', 'ja')).toBe(words);
  expect(await chineseWords(words, 'keep', 'zh')).toBe(words);
});
