import fc from 'fast-check';
import { expect, test } from 'vitest';
import { alignSegments } from '../../../../pipeline/alignment/align-segments.ts';
import { ctcUnits } from '../../../../pipeline/alignment/ctc-units.ts';
import { ctcWords } from '../../../../pipeline/alignment/ctc-words.ts';
import type { CtcVocabulary, Emissions, Segment } from '../../../../pipeline/contracts.ts';

const HOP = 320;
const vocabularyOf = (characters: string, delimiter = true): CtcVocabulary => ({
  classOf: new Map([...characters].map((character, i) => [character, i + 2])),
  blankId: 0,
  delimiterId: delimiter ? 1 : null,
});
const english = vocabularyOf("abcdefghijklmnopqrstuvwxyz'");
const geometry = {
  vocabulary: english,
  samplesPerFrame: HOP,
  receptiveFieldSamples: 400,
  maxWindowSamples: 30 * 16_000,
};
const unaborted = new AbortController().signal;
const spelling = (vocabulary: CtcVocabulary, text: string, language: string): string => {
  const names = new Map([...vocabulary.classOf].map(([character, id]) => [id, character]));
  const words = text.split(' ').map((word, i) => ({ text: word, spaceBefore: i > 0 }));
  return Array.from(ctcUnits(words, vocabulary, language).targets, (id) =>
    id === vocabulary.delimiterId ? '|' : (names.get(id) ?? '*'),
  ).join('');
};

/** Frames that are certain of what `script` says, one character each; `.` is blank. */
function scripted(script: string, vocabulary = english): Emissions {
  const classes = 2 + vocabulary.classOf.size;
  const logProbs = new Float32Array(script.length * classes).fill(Math.log(0.01 / classes));
  for (const [frame, character] of [...script].entries()) {
    const id = character === '.' ? 0 : character === '|' ? 1 : vocabulary.classOf.get(character)!;
    logProbs[frame * classes + id] = Math.log(0.99);
  }
  return { logProbs, frames: script.length, classes };
}

const framesOf = (text: string, script: string): [number, number][] =>
  ctcWords(
    scripted(script),
    text.split(' ').map((word, i) => ({ text: word, spaceBefore: i > 0 })),
    english,
    'en',
  )!.map(({ startFrame, endFrame }) => [startFrame, endFrame]);

test('words begin with their first sound and end behind their last one, without the pause', () => {
  expect(framesOf('hi you', '...hh.ii......|...yo.u....')).toEqual([
    [3, 10],
    [18, 24],
  ]);
});

test('the delimiter between words may be missing', () => {
  expect(framesOf('hi you', '..hi....you...')).toEqual([
    [2, 6],
    [8, 12.5],
  ]);
});

test('what the vocabulary lacks takes its own sounds and none of its neighbours', () => {
  const [before, star, behind] = framesOf('go ñ7ł on', '..go...|..seven.wl..|..on...');
  expect(before).toEqual([2, 6]);
  expect(star![0]).toBeLessThanOrEqual(10);
  expect(star![1]).toBeGreaterThanOrEqual(17);
  expect(behind).toEqual([23, 26.5]);
});

test('a word of marks lies between its neighbours', () => {
  const [first, marks, last] = framesOf('a — b', '..a.....b..');
  expect(marks).toEqual([first![1], last![0]]);
});

test('digits and symbols are spelt as they are said, characters as the vocabulary has them', () => {
  expect(spelling(english, 'Don’t 25% & 1984, x!', 'en')).toBe(
    'dont|twentyfivepercent|and|nineteeneightyfour|x',
  );
  expect(spelling(english, 'café 12', 'fr')).toBe('cafe|*');
  expect(spelling(vocabularyOf('삼십오퍼센트할인'), '35% 할인', 'ko')).toBe('삼십오퍼센트|할인');
  expect(spelling(vocabularyOf('한글'.normalize('NFD')), '한글 강', 'ko')).toBe(
    `${'한글'.normalize('NFD')}|*`,
  );
  expect(spelling(vocabularyOf('ㅎㅏㄴㄱㅡㄹ'), '한글', 'ko')).toBe('ㅎㅏㄴㄱㅡㄹ');
  expect(spelling(vocabularyOf('你好', false), '你好，龘', 'zh')).toBe('你好*');
});

test('a Korean syllable that the vocabulary lacks becomes one that sounds alike, or has no coda', () => {
  expect(spelling(vocabularyOf('갑밖박바'), '값 밖 밗 밟', 'ko')).toBe('갑|밖|박|바');
  expect(spelling(vocabularyOf('앋아'), '앗 았 앙', 'ko')).toBe('앋|앋|아');
  expect(spelling(vocabularyOf('가힣'), '갹 나', 'ko')).toBe('*|*');
});

test('acronyms in Korean are spelt by their letters’ names, other Latin words are wildcards', () => {
  const korean = vocabularyOf('에이아씨티브더블유는스케와');
  expect(spelling(korean, 'AI는 SK와 CCTV', 'ko')).toBe('에이아이는|에스케이와|씨씨티브이');
  expect(spelling(korean, 'NASA와 iPhone Excel', 'ko')).toBe('*와|*|*');
});

test('marks without a sound take no frame, and letters are of their language’s case', () => {
  const arabic = vocabularyOf('محد');
  expect(spelling(arabic, 'مُحَمَّد', 'ar')).toBe('محمد');
  expect(spelling(vocabularyOf('ılik'), 'ILIK İL', 'tr')).toBe('ılık|il');
  expect(spelling(vocabularyOf('ilk'), 'ILK', 'en')).toBe('ilk');
  expect(spelling(vocabularyOf('कि'), 'कि', 'hi')).toBe('कि');
});

const word = fc.stringMatching(/^(?:[a-e]{1,5}|7|[—,]|ñ)$/);
const spoken = fc.record({
  words: fc.array(word, { minLength: 1, maxLength: 8 }),
  gap: fc.integer({ min: 0, max: 20_000 }),
  length: fc.integer({ min: 200, max: 60_000 }),
});

test('words stay in order, inside their segments, and none is lost, whatever is heard', async () => {
  let alignedOnce = 0;
  const scenario = fc.record({
    spoken: fc.array(spoken, { minLength: 1, maxLength: 5 }),
    seed: fc.integer({ min: 1, max: 1e6 }),
    tail: fc.integer({ min: 0, max: 9000 }),
  });
  await fc.assert(
    fc.asyncProperty(scenario, async ({ spoken: parts, seed, tail }) => {
      let at = 0;
      const segments = parts.map(({ words, gap, length }): Segment => {
        const range = { start: at + gap, end: at + gap + length };
        at = range.end;
        return {
          text: words.join(' '),
          range,
          confidence: 0.9,
          words: words.map((text) => ({ text, range, confidence: 0.8 })),
          avgLogProb: -0.1,
          noSpeechProb: 0,
          compressionRatio: 1,
          temperature: 0,
        };
      });
      let state = seed;
      const emissionsOf = async ({ start, end }: Segment['range']): Promise<Emissions> => {
        expect(start).toBeGreaterThanOrEqual(0);
        expect(end).toBeLessThanOrEqual(at + tail);
        const frames = Math.max(1, Math.floor((end - start - 80) / HOP));
        const logProbs = Float32Array.from({ length: frames * 29 }, () => {
          state = (state * 48_271) % 2_147_483_647;
          return Math.log(0.01 + state / 2_147_483_647) - 2;
        });
        return { logProbs, frames, classes: 29 };
      };
      const result = await alignSegments(segments, {
        ...{ emissionsOf, geometry, language: 'en', concurrency: 3, signal: unaborted },
        audioSamples: at + tail,
      });
      alignedOnce += result.aligned;
      let end = 0;
      for (const [i, segment] of result.segments.entries()) {
        const before = segments[i]!;
        expect(segment.text).toBe(before.text);
        expect(segment.words.map(({ text }) => text)).toEqual(before.words.map(({ text }) => text));
        expect(segment.range.start).toBeGreaterThanOrEqual(end);
        if (segment !== before) {
          let spokenUntil = segment.range.start;
          for (const { range } of segment.words) {
            expect(range.start).toBeGreaterThanOrEqual(spokenUntil);
            expect(range.end).toBeGreaterThan(range.start);
            spokenUntil = range.end;
          }
          expect(spokenUntil).toBe(segment.range.end);
        }
        end = segment.range.end;
      }
      expect(end).toBeLessThanOrEqual(at + tail);
    }),
    { numRuns: 120, seed: 11 },
  );
  expect(alignedOnce).toBeGreaterThan(50);
});
