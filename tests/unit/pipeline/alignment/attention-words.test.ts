import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { attentionWords } from '../../../../pipeline/alignment/attention-words.ts';
import { placeWords } from '../../../../pipeline/alignment/place-words.ts';
import type { RecognizedToken } from '../../../../pipeline/contracts.ts';

const SAMPLES_PER_FRAME = 320;
const VOCABULARY = [' Yes', ',', ' that', "'s", ' right', '.', '안', ' 안', ' —', ' '];
const textOf = (ids: readonly number[]): string => ids.map((id) => VOCABULARY[id]).join('');
const text = (piece: string, logProb = 0): RecognizedToken => ({
  kind: 'text',
  id: VOCABULARY.indexOf(piece),
  logProb,
});
const timestamp = (frame: number): RecognizedToken => ({
  kind: 'timestamp',
  offsetSamples: frame * SAMPLES_PER_FRAME,
  logProb: 0,
});

/** Each token, and the end of text, attends to the frames from its start on. */
function attentionAt(starts: readonly number[], frames: number) {
  const weights = new Float32Array(starts.length * frames).fill(-1);
  for (const [token, start] of starts.entries()) {
    weights.fill(1, token * frames + start, token * frames + (starts[token + 1] ?? frames));
  }
  return { weights, frames, samplesPerFrame: SAMPLES_PER_FRAME };
}

describe('attentionWords', () => {
  test('a word starts with its first token and ends where the next one starts', () => {
    const tokens = [text(' Yes'), text(','), text(' that'), text("'s"), text(' right')];
    const attention = attentionAt([0, 10, 12, 20, 24, 40], 60);
    const [words] = attentionWords({ tokens, language: 'en' }, attention, textOf);
    const frames = words!.map(({ text: written, start, end }) => [
      written,
      start / SAMPLES_PER_FRAME,
      end / SAMPLES_PER_FRAME,
    ]);
    expect(frames).toEqual([
      [' Yes,', 0, 10],
      [" that's", 12, 24],
      [' right', 24, 40],
    ]);
  });

  test('the confidence of a word is the mean probability of its tokens', () => {
    const tokens = [text(' that', Math.log(0.5)), text("'s", Math.log(0.9)), text('.', -9)];
    const attention = attentionAt([0, 10, 12, 20], 30);
    const [words] = attentionWords({ tokens, language: 'en' }, attention, textOf);
    expect(words).toHaveLength(1);
    expect(words![0]!.confidence).toBeCloseTo(0.7, 6);
  });

  test('timestamps take no part in the attention and divide the words into runs', () => {
    const tokens = [
      timestamp(0),
      text(' Yes'),
      timestamp(10),
      timestamp(10),
      text(' that'),
      text(' right'),
      timestamp(30),
    ];
    const runs = attentionWords(
      { tokens, language: 'en' },
      attentionAt([0, 10, 20, 30], 40),
      textOf,
    );
    expect(runs.map((words) => words.map((word) => word.text))).toEqual([
      [' Yes'],
      [' that', ' right'],
    ]);
    expect(runs[1]![0]!.start).toBe(10 * SAMPLES_PER_FRAME);
  });

  test('a window without text or without audio gives no words or words without length', () => {
    expect(attentionWords({ tokens: [], language: 'en' }, attentionAt([0], 9), textOf)).toEqual([]);
    const nothing = { weights: new Float32Array(0), frames: 0, samplesPerFrame: SAMPLES_PER_FRAME };
    const [words] = attentionWords({ tokens: [text(' Yes')], language: 'en' }, nothing, textOf);
    expect(words).toEqual([{ text: ' Yes', start: 0, end: 0, confidence: 1 }]);
  });

  test('every character is in a word and placed words are monotonic, for any attention', () => {
    const token = fc.oneof(
      { weight: 5, arbitrary: fc.constantFrom(...VOCABULARY).map((piece) => text(piece, -0.3)) },
      { weight: 1, arbitrary: fc.integer({ min: 0, max: 60 }).map(timestamp) },
    );
    const cases = fc.record({
      tokens: fc.array(token, { maxLength: 15 }),
      frames: fc.integer({ min: 1, max: 50 }),
      seed: fc.integer({ min: 1, max: 9999 }),
      language: fc.constantFrom('en', 'ko', 'ja'),
    });
    fc.assert(
      fc.property(cases, ({ tokens, frames, seed, language }) => {
        const ids = tokens.flatMap((each) => (each.kind === 'text' ? [each.id] : []));
        const weights = Float32Array.from({ length: (ids.length + 1) * frames }, (_, i) =>
          Math.sin(seed * (i + 1)),
        );
        const attention = { weights, frames, samplesPerFrame: SAMPLES_PER_FRAME };
        const words = attentionWords({ tokens, language }, attention, textOf).flat();
        expect(words.map((each) => each.text).join('')).toBe(textOf(ids));
        const segment = { start: 500, end: 500 + 51 * SAMPLES_PER_FRAME };
        let previousEnd = segment.start;
        for (const { range, confidence } of placeWords(words, segment, (at) => at + 500)) {
          expect(range.start).toBeGreaterThanOrEqual(previousEnd);
          expect(range.end).toBeGreaterThan(range.start);
          expect(range.end).toBeLessThanOrEqual(segment.end);
          expect(confidence).toBeGreaterThan(0);
          expect(confidence).toBeLessThanOrEqual(1);
          previousEnd = range.end;
        }
      }),
      { numRuns: 2000 },
    );
  });
});
