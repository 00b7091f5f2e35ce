import fc from 'fast-check';
import { expect, test } from 'vitest';
import { englishNumbersToDigits } from '../../../../pipeline/postprocess/english-numbers.ts';
import { removeFillers } from '../../../../pipeline/postprocess/fillers.ts';
import { correctKeywords } from '../../../../pipeline/postprocess/keywords.ts';
import { attachParticles } from '../../../../pipeline/postprocess/korean/particles.ts';
import { koreanSentenceEnd } from '../../../../pipeline/postprocess/korean/sentence-ends.ts';
import {
  DEFAULT_POSTPROCESS_OPTIONS,
  postprocess,
} from '../../../../pipeline/postprocess/postprocess.ts';
import { collapseRepeats } from '../../../../pipeline/postprocess/repeats.ts';
import { punctuateKorean } from '../../../../pipeline/postprocess/sentences.ts';
import { repairSpacing } from '../../../../pipeline/postprocess/spacing.ts';
import { changed, segmentOf } from './pieces-of.ts';

test.each([
  ['회의 를 시작 합니다', '회의를 시작 합니다'],
  ['서울 에서 부산 까지', '서울에서 부산까지'],
  ['일정 을 정하고', '일정을 정하고'],
  ['회의록 으로 남기고 서울 으로', '회의록으로 남기고 서울 으로'],
  ['이 은 반지 와 만 원', '이 은 반지 와 만 원'],
  ['API 를 씁니다', 'API 를 씁니다'],
])('particles: %s becomes %s', (text, expected) => {
  expect(changed(text, attachParticles)).toBe(expected);
});

test.each([
  ['그렇죠 . 그런데요 ?', '그렇죠. 그런데요?'],
  ['했어요.그래서 갔어요', '했어요. 그래서 갔어요'],
  ['3.5배, example.com', '3.5배, example.com'],
  ['\u1112\u1161\u11ab국', '한국'],
])('spacing: %s becomes %s', (text, expected) => {
  expect(changed(text, repairSpacing)).toBe(expected);
});

test.each([
  ['어 그래서 음, 회의를 합니다', '그래서 회의를 합니다'],
  ['그, 제가 | 뭐 | 말씀드리면', '제가 말씀드리면'],
  ['그 사람이 뭐 했어요', '그 사람이 뭐 했어요'],
  ['그렇습니다 음.', '그렇습니다.'],
])('Korean fillers: %s becomes %s', (text, expected) => {
  expect(changed(text, (pieces) => removeFillers(pieces, 'ko'))).toBe(expected);
});

test('English hesitations go, words stay', () => {
  const text = 'Um, I uh like it, well, a lot';
  expect(changed(text, (pieces) => removeFillers(pieces, 'en'))).toBe('I like it, a lot');
});

test.each([
  ['그그그 그러면 네 네 네 네.', '그 그러면 네.'],
  ['하하하 네 네', '하하하 네 네'],
  ['1 1 1', '1 1 1'],
])('repeats: %s becomes %s', (text, expected) => {
  expect(changed(text, collapseRepeats)).toBe(expected);
});

test.each([
  ['twenty-five people and three hundred forty two more.', '25 people and 342 more.'],
  ['five percent, one person', '5%, one person'],
  ['two million dollars', '2,000,000 dollars'],
  ['one two three', 'one two three'],
  ['no one', 'no one'],
])('English numbers: %s becomes %s', (text, expected) => {
  expect(changed(text, englishNumbersToDigits)).toBe(expected);
});

test.each([
  ['쿠버네티즈를 씁니다', ['쿠버네티스'], '쿠버네티스를 씁니다'],
  ['런 포드에서 돌려요', ['런포드'], '런포드에서 돌려요'],
  ['we use cooper netes.', ['Kubernetes'], 'we use cooper netes.'],
  ['we use kubernetis.', ['Kubernetes'], 'we use Kubernetes.'],
  ['회의를 합니다', ['회식'], '회의를 합니다'],
])('keywords: %s with %s becomes %s', (text, keywords, expected) => {
  expect(changed(text, (pieces) => correctKeywords(pieces, keywords))).toBe(expected);
});

test.each([
  ['시작하겠습니다', 'statement'],
  ['좋네요', 'statement'],
  ['갑니까', 'question'],
  ['어떻습니까', 'question'],
  ['할까요', 'question'],
  ['그러니까', undefined],
  ['있다가', undefined],
  ['회의까지', undefined],
])('%s ends a sentence as %s', (word, expected) => {
  expect(koreanSentenceEnd(word)).toBe(expected);
});

test('a Korean ending before a pause gets its mark, and its question mark', () => {
  expect(changed('시작하겠습니다 | 준비됐습니까 | 네 좋아요 그럼', punctuateKorean)).toBe(
    '시작하겠습니다. 준비됐습니까? 네 좋아요 그럼',
  );
});

test('sentences become segments with their own words and times', () => {
  const split = postprocess([segmentOf('안녕하세요 | 회의를 시작합니다 | 네')], 'ko', {
    ...DEFAULT_POSTPROCESS_OPTIONS,
  });
  expect(split.map(({ text, range }) => [text, range.start, range.end])).toEqual([
    ['안녕하세요', 0, 8000],
    ['회의를 시작합니다', 16_000, 32_000],
    ['네', 40_000, 48_000],
  ]);
});

test('an abbreviation ends no sentence', () => {
  const split = postprocess(
    [segmentOf('Mr. Kim came. He left.')],
    'en',
    DEFAULT_POSTPROCESS_OPTIONS,
  );
  expect(split.map(({ text }) => text)).toEqual(['Mr. Kim came.', 'He left.']);
});

test('a rewritten word keeps the time of all that it stands for', () => {
  const [segment] = postprocess([segmentOf('삼만 오천 원입니다')], 'ko', {
    ...DEFAULT_POSTPROCESS_OPTIONS,
    numbers: 'digits',
  });
  expect(segment?.words.map(({ text, range }) => [text, range.start, range.end])).toEqual([
    ['35,000원입니다', 0, 24_000],
  ]);
});

test('a segment of hesitations alone is dropped', () => {
  const options = { ...DEFAULT_POSTPROCESS_OPTIONS, removeFillers: true };
  expect(postprocess([segmentOf('음 어')], 'ko', options)).toEqual([]);
});

const anyText = fc
  .array(
    fc.constantFrom(
      '음',
      '그',
      '네',
      '네.',
      '삼만',
      '오천',
      '원',
      '회의',
      '를',
      '있습니다',
      '|',
      '.',
      '3',
      'um',
    ),
    { minLength: 1, maxLength: 20 },
  )
  .map((words) => words.join(' '));

test('whatever is switched on, text is its words and times stay in order', () => {
  const anyOptions = fc.record({
    repairSpacing: fc.boolean(),
    splitSentences: fc.boolean(),
    numbers: fc.constantFrom('keep' as const, 'digits' as const, 'words' as const),
    removeFillers: fc.boolean(),
    collapseRepeats: fc.boolean(),
    punctuate: fc.boolean(),
    keywords: fc.constant(['회의록입니다']),
  });
  fc.assert(
    fc.property(anyText, anyOptions, fc.constantFrom('ko', 'en'), (text, options, language) => {
      const drawn = segmentOf(text);
      fc.pre(drawn.words.length > 0);
      let end = drawn.range.start;
      for (const segment of postprocess([drawn], language, options)) {
        expect(segment.text).toBe(
          segment.words
            .map((word) => word.text)
            .join(' ')
            .replace(/ +/g, ' '),
        );
        for (const { range } of segment.words) {
          expect(range.start).toBeGreaterThanOrEqual(end);
          expect(range.end).toBeGreaterThanOrEqual(range.start);
          expect(range.end).toBeLessThanOrEqual(segment.range.end);
          end = range.end;
        }
      }
    }),
  );
});

test('without any option the segments are handed back as they are', () => {
  const segments = [segmentOf('음 회의 를 . 시작합니다 | 네')];
  const off = { ...DEFAULT_POSTPROCESS_OPTIONS, repairSpacing: false, splitSentences: false };
  expect(postprocess(segments, 'ko', off)).toEqual(segments);
});
