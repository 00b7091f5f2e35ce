import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Segment } from '../../../../pipeline/contracts.ts';
import {
  DEFAULT_POSTPROCESS_OPTIONS,
  type PostprocessOptions,
  postprocess,
} from '../../../../pipeline/postprocess/postprocess.ts';
import { segmentOf } from './pieces-of.ts';
import { tableOf } from './table.ts';

const NOTHING: PostprocessOptions = {
  ...DEFAULT_POSTPROCESS_OPTIONS,
  repairSpacing: false,
  attachParticles: false,
  splitSentences: false,
};
const textsOf = (segments: readonly Segment[]): string[] => segments.map(({ text }) => text);

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

test('hesitations go before a particle could be set to one', () => {
  const options = { ...DEFAULT_POSTPROCESS_OPTIONS, removeFillers: true };
  expect(textsOf(postprocess([segmentOf('회의 어 를 에 시작합니다')], 'ko', options))).toEqual([
    '회의를 에 시작합니다',
  ]);
});

test.each([
  ['digits', 'en', 'twenty five people', '25 people'],
  ['words', 'en', '25 people', 'twenty-five people'],
  ['digits', 'ko', '스물다섯 명', '25명'],
  ['words', 'ko', '25명', '스물다섯 명'],
  ['words', 'ja', '25人', '25人'],
  ['keep', 'ko', '스물다섯 명 25명', '스물다섯 명 25명'],
] as const)('numbers: %s in %s makes "%s" "%s"', (numbers, language, text, expected) => {
  expect(textsOf(postprocess([segmentOf(text)], language, { ...NOTHING, numbers }))).toEqual([
    expected,
  ]);
});

test('spaces are repaired and particles attached each by its own switch', () => {
  const segments = [segmentOf('회의 를 합니다 .')];
  const only = (options: Partial<PostprocessOptions>) =>
    textsOf(postprocess(segments, 'ko', { ...NOTHING, ...options }));
  expect(only({ repairSpacing: true })).toEqual(['회의 를 합니다.']);
  expect(only({ attachParticles: true })).toEqual(['회의를 합니다 .']);
});

test('without any option the segments are handed back as they are', () => {
  const segments = [segmentOf('음 회의 를 . 시작합니다 | 네')];
  expect(postprocess(segments, 'ko', NOTHING)).toEqual(segments);
});

const SAMPLES = [
  'korean/ordinary.txt',
  'korean/spoken-to-digits.txt',
  'korean/digits-to-spoken.txt',
]
  .flatMap(tableOf)
  .map(({ given }) => given);
const WORDS = [
  ...[
    '음',
    '그',
    '네',
    '네.',
    '어,',
    '에',
    '삼만',
    '오천',
    '원',
    '회의',
    '를',
    '있습니다',
    '했어요.그래서',
  ],
  ...[
    '|',
    '.',
    ',',
    '?',
    '(',
    ')',
    '…',
    '3',
    '3.',
    'um',
    'Um,',
    'U.S.',
    'API',
    '이',
    '분이',
    '열두',
    '시',
  ],
  ...[
    '공일공',
    '오오오오',
    '이이이이',
    '1/3',
    '2024-03-15',
    'one',
    'hundred',
    'and',
    'five',
    '\u1112\u1161\u11ab',
  ],
];
const anyText = fc.oneof(
  fc.constantFrom(...SAMPLES),
  fc
    .array(fc.constantFrom(...WORDS), { minLength: 1, maxLength: 20 })
    .map((words) => words.join(' ')),
  fc.string({ unit: 'grapheme', maxLength: 30 }).map((text) => text.replace(/\s+/g, ' ')),
);
const anySegment = anyText.map(segmentOf).filter(({ words }) => words.length > 0);
const anyLanguage = fc.constantFrom('ko', 'en', 'ja', 'de');
const anyOptions = fc.record({
  repairSpacing: fc.boolean(),
  attachParticles: fc.boolean(),
  splitSentences: fc.boolean(),
  numbers: fc.constantFrom('keep' as const, 'digits' as const, 'words' as const),
  removeFillers: fc.boolean(),
  collapseRepeats: fc.boolean(),
  punctuate: fc.boolean(),
  keywords: fc.constantFrom([], ['회의록입니다', 'Kubernetes']),
});
const RUNS = { numRuns: 1000, seed: 3 };
const lettersOf = (texts: readonly string[]): string =>
  texts.join('').normalize('NFC').replace(/\s/gu, '');

describe('over thousands of texts', () => {
  test('whatever is switched on, text is its words, in order and inside its segment', () => {
    fc.assert(
      fc.property(anySegment, anyOptions, anyLanguage, (drawn, options, language) => {
        const problems: unknown[] = [];
        let end = drawn.range.start;
        for (const segment of postprocess([drawn], language, options)) {
          const words = segment.words.map(({ text }) => text);
          if (lettersOf(words) !== lettersOf([segment.text])) problems.push(words);
          const isInside =
            segment.range.start >= drawn.range.start && segment.range.end <= drawn.range.end;
          if (!isInside) problems.push(segment.range);
          for (const { range } of segment.words) {
            const isOrdered = range.start >= end && range.end >= range.start;
            if (!isOrdered || range.end > segment.range.end) problems.push(range);
            end = range.end;
          }
        }
        expect(problems).toEqual([]);
      }),
      RUNS,
    );
  });

  test('repairs lose no character', () => {
    fc.assert(
      fc.property(anySegment, anyLanguage, (drawn, language) => {
        const repaired = postprocess([drawn], language, DEFAULT_POSTPROCESS_OPTIONS);
        expect(lettersOf(textsOf(repaired))).toBe(lettersOf([drawn.text]));
      }),
      RUNS,
    );
  });

  test('what is repaired is not repaired again', () => {
    fc.assert(
      fc.property(anySegment, anyLanguage, (drawn, language) => {
        const once = postprocess([drawn], language, DEFAULT_POSTPROCESS_OPTIONS);
        expect(postprocess(once, language, DEFAULT_POSTPROCESS_OPTIONS)).toEqual(once);
      }),
      RUNS,
    );
  });

  test('marks that are added and repeats that go leave all other words', () => {
    fc.assert(
      fc.property(anySegment, (drawn) => {
        const punctuated = postprocess([drawn], 'ko', { ...NOTHING, punctuate: true });
        expect(lettersOf(textsOf(punctuated)).replace(/[.?]/g, '')).toBe(
          lettersOf([drawn.text]).replace(/[.?]/g, ''),
        );
      }),
      RUNS,
    );
  });

  test('a text without words is repaired as one with them', () => {
    fc.assert(
      fc.property(anySegment, anyLanguage, (drawn, language) => {
        const options = { ...DEFAULT_POSTPROCESS_OPTIONS, splitSentences: false };
        const bare = { ...drawn, words: [] };
        expect(textsOf(postprocess([bare], language, options))).toEqual(
          textsOf(postprocess([drawn], language, options)),
        );
      }),
      RUNS,
    );
  });
});
