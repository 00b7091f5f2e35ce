import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { RecognizedToken } from '../../../pipeline/contracts.ts';
import { toSegments } from '../../../pipeline/segments.ts';
import { withoutPaddingText } from '../../../pipeline/token-spans.ts';

const vocabulary = [' ask', ' not', ' what', ' '];
const recognizer = {
  textOf: (tokenIds: readonly number[]) => tokenIds.map((id) => vocabulary[id]).join(''),
};
const [ASK, NOT, WHAT, BLANK] = [0, 1, 2, 3];

const text = (id: number, logProb = -0.5): RecognizedToken => ({ kind: 'text', id, logProb });
const at = (offsetSamples: number): RecognizedToken => ({
  kind: 'timestamp',
  offsetSamples,
  logProb: -9,
});

const RECOGNITION = {
  avgLogProb: -0.4,
  noSpeechProb: 0.2,
  language: 'en',
  languageProbability: 1,
};

const segmentsOf = (tokens: readonly RecognizedToken[], chunk = { start: 1000, end: 1100 }) => {
  const attempt = {
    recognition: { ...RECOGNITION, tokens },
    text: '',
    temperature: 0.2,
    compressionRatio: 1.1,
  };
  return toSegments(attempt, [chunk], recognizer);
};

const linesOf = (...tokens: RecognizedToken[]) =>
  segmentsOf(tokens).map((segment) => [segment.text, segment.range.start, segment.range.end]);

test('pairs of timestamps cut the text, with times of the recording', () => {
  expect(linesOf(at(10), text(ASK), at(40), at(50), text(NOT), text(WHAT), at(90))).toEqual([
    ['ask', 1010, 1040],
    ['not what', 1050, 1090],
  ]);
});

test('an unfinished last segment lasts to the end of the chunk', () => {
  expect(linesOf(at(0), text(ASK), at(40), at(40), text(NOT))).toEqual([
    ['ask', 1000, 1040],
    ['not', 1040, 1100],
  ]);
});

test('without timestamps the chunk is one segment', () => {
  expect(linesOf(text(ASK), text(NOT))).toEqual([['ask not', 1000, 1100]]);
});

test('text before the first timestamp begins with the chunk', () => {
  expect(linesOf(text(ASK), at(30))).toEqual([['ask', 1000, 1030]]);
});

test('nothing recognised makes no segment', () => {
  expect(linesOf()).toEqual([]);
  expect(linesOf(at(0), at(100))).toEqual([]);
});

test('a segment of blanks is dropped', () => {
  expect(linesOf(at(0), text(BLANK), at(40), at(40), text(NOT), at(60))).toEqual([
    ['not', 1040, 1060],
  ]);
});

test('times behind the end of the chunk are moved to it', () => {
  expect(linesOf(at(50), text(ASK), at(400))).toEqual([['ask', 1050, 1100]]);
});

test('a segment that starts behind the end of the chunk keeps its words in the one before', () => {
  expect(linesOf(at(0), text(ASK), at(100), at(100), text(NOT), at(300))).toEqual([
    ['ask not', 1000, 1100],
  ]);
  expect(linesOf(at(120), text(ASK), at(130))).toEqual([['ask', 1000, 1100]]);
});

test('text that begins behind the end of the chunk heard only padding', () => {
  const tokens = [at(0), text(ASK), at(110), at(110), text(NOT), at(300)];
  const recognition = { ...RECOGNITION, tokens };
  expect(withoutPaddingText(recognition, 100).tokens).toEqual(tokens.slice(0, 4));
  expect(withoutPaddingText(recognition, 111)).toBe(recognition);
});

test('a segment without length keeps its words in the one before', () => {
  expect(linesOf(at(0), text(ASK), at(50), at(50), text(NOT), at(50))).toEqual([
    ['ask not', 1000, 1050],
  ]);
});

test('a first segment without length lasts to the end of the chunk and takes the words that follow', () => {
  expect(linesOf(at(20), text(ASK), at(20), at(30), text(NOT), at(60))).toEqual([
    ['ask not', 1020, 1100],
  ]);
});

test('times that run backwards never make segments overlap', () => {
  expect(linesOf(at(0), text(ASK), at(60), at(20), text(NOT), at(80))).toEqual([
    ['ask', 1000, 1060],
    ['not', 1060, 1080],
  ]);
});

test('confidence is the mean over text tokens; the other figures are those of the window', () => {
  const [segment] = segmentsOf([at(0), text(ASK, -0.2), text(NOT, -0.6), at(40)]);
  expect(segment).toMatchObject({
    confidence: Math.exp(-0.4),
    words: [],
    avgLogProb: -0.4,
    noSpeechProb: 0.2,
    compressionRatio: 1.1,
    temperature: 0.2,
  });
});

test('any tokens give ordered segments inside the chunk and lose no words', () => {
  const token = fc.oneof(
    fc.nat(2).map((id) => text(id)),
    fc.nat(150).map((offset) => at(offset)),
  );
  fc.assert(
    fc.property(fc.array(token, { maxLength: 30 }), (tokens) => {
      const segments = segmentsOf(tokens);
      let position = 1000;
      for (const { range, confidence, text: words } of segments) {
        expect(range.start).toBeGreaterThanOrEqual(position);
        expect(range.end).toBeGreaterThan(range.start);
        expect(words).not.toBe('');
        expect(confidence).toBeCloseTo(Math.exp(-0.5));
        position = range.end;
      }
      expect(position).toBeLessThanOrEqual(1100);
      expect(segments.map((segment) => segment.text).join(' ')).toBe(wordsOf(tokens));
    }),
    { numRuns: 500 },
  );
});

const wordsOf = (tokens: readonly RecognizedToken[]): string =>
  tokens
    .map((token) => (token.kind === 'text' ? vocabulary[token.id] : ''))
    .join('')
    .trim();
