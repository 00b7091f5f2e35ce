import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { SampleRange } from '../../../audio/time.ts';
import type { RecognizedToken, Segment } from '../../../pipeline/contracts.ts';
import { toSegments } from '../../../pipeline/segments.ts';
import { toRecording, windowSamplesOf } from '../../../pipeline/time-map.ts';

const SAMPLES_PER_FRAME = 320;
const VOCABULARY = [' ask', ' not', ' what', ' ', ',', '.', 'ever', ' "', '"', ' 3', '.5', ' 한국'];
const textOf = (ids: readonly number[]): string => ids.map((id) => VOCABULARY[id]).join('');

interface Scene {
  readonly tokens: readonly RecognizedToken[];
  readonly pieces: readonly SampleRange[];
  readonly seed: number;
}

/** Pieces at least 100 ms long with removed silence between them, and any tokens over them. */
const scenes: fc.Arbitrary<Scene> = fc.record({
  tokens: fc.array(
    fc.oneof(
      { weight: 4, arbitrary: fc.nat(VOCABULARY.length - 1).map(textToken) },
      { weight: 1, arbitrary: fc.nat(1500).map(timestamp) },
    ),
    { maxLength: 40 },
  ),
  pieces: fc
    .array(fc.tuple(fc.integer({ min: 0, max: 90_000 }), fc.integer({ min: 1600, max: 120_000 })), {
      minLength: 1,
      maxLength: 5,
    })
    .map(piecesOf),
  seed: fc.nat(1_000_000),
});

function textToken(id: number): RecognizedToken {
  return { kind: 'text', id, logProb: -0.5 };
}

function timestamp(step: number): RecognizedToken {
  return { kind: 'timestamp', offsetSamples: step * SAMPLES_PER_FRAME, logProb: -1 };
}

function piecesOf(steps: readonly (readonly [number, number])[]): SampleRange[] {
  let at = 0;
  return steps.map(([silence, length]) => {
    const start = at + silence + 1;
    at = start + length;
    return { start, end: at };
  });
}

function segmentsOf({ tokens, pieces, seed }: Scene, wordTimes = true): Segment[] {
  const frames = Math.max(1, Math.floor(windowSamplesOf(pieces) / SAMPLES_PER_FRAME));
  const rows = tokens.filter(({ kind }) => kind === 'text').length + 1;
  const weights = Float32Array.from({ length: rows * frames }, (_, i) => Math.sin(seed + i * i));
  const recognition = {
    tokens,
    avgLogProb: -0.4,
    noSpeechProb: 0.1,
    language: 'en',
    languageProbability: 1,
    ...(wordTimes && { attention: { weights, frames, samplesPerFrame: SAMPLES_PER_FRAME } }),
  };
  const attempt = { recognition, text: '', temperature: 0, compressionRatio: 1 };
  return toSegments(attempt, pieces, { textOf });
}

const inside = (inner: SampleRange, outer: SampleRange): boolean =>
  inner.start >= outer.start && inner.end <= outer.end;

test('words are in order inside their segment, segments inside the window, and both say the same', () => {
  fc.assert(
    fc.property(scenes, (scene) => {
      const segments = segmentsOf(scene);
      let position = scene.pieces[0]!.start;
      for (const { range, text, words } of segments) {
        expect(range.start).toBeGreaterThanOrEqual(position);
        expect(range.end).toBeGreaterThan(range.start);
        let spoken = range.start;
        for (const word of words) {
          expect(word.range.start).toBeGreaterThanOrEqual(spoken);
          expect(inside(word.range, range)).toBe(true);
          spoken = word.range.end;
        }
        const joined = words.map((word) => word.text).join('');
        expect(joined.replaceAll(' ', '')).toBe(text.replaceAll(' ', ''));
        position = range.end;
      }
      expect(position).toBeLessThanOrEqual(scene.pieces.at(-1)!.end);
    }),
    { numRuns: 2000 },
  );
});

test('the text is the same with and without word times', () => {
  fc.assert(
    fc.property(scenes, (scene) => {
      const squeezed = (segments: readonly Segment[]) =>
        segments.map(({ text }) => text.replaceAll(' ', '')).join('');
      expect(squeezed(segmentsOf(scene))).toBe(squeezed(segmentsOf(scene, false)));
    }),
    { numRuns: 500 },
  );
});

test('a segment over removed silence is split there, and each part keeps to its side', () => {
  const pieces = [
    { start: 10_000, end: 26_000 },
    { start: 90_000, end: 106_000 },
  ];
  const frames = 100;
  const weights = new Float32Array(3 * frames);
  weights.fill(1, 0, 50);
  weights.fill(1, frames + 50, frames + 99);
  weights[2 * frames + 99] = 1;
  const recognition = {
    tokens: [textToken(0), textToken(1)],
    avgLogProb: -0.4,
    noSpeechProb: 0.1,
    language: 'en',
    languageProbability: 1,
    attention: { weights, frames, samplesPerFrame: SAMPLES_PER_FRAME },
  };
  const attempt = { recognition, text: '', temperature: 0, compressionRatio: 1 };
  const segments = toSegments(attempt, pieces, { textOf });
  expect(segments.map(({ text, range }) => [text, range.start, range.end])).toEqual([
    ['ask', 10_000, 26_000],
    ['not', 90_000, 106_000],
  ]);
  expect(segments.flatMap(({ words }) => words).map(({ text }) => text)).toEqual(['ask', 'not']);
});

test('a place in the window is a place in the recording, in the same order, for any pieces', () => {
  fc.assert(
    fc.property(scenes, ({ pieces }) => {
      const places = Array.from({ length: 50 }, (_, i) =>
        toRecording(pieces, Math.floor((i * windowSamplesOf(pieces)) / 50)),
      );
      expect(places).toEqual(places.toSorted((a, b) => a - b));
      for (const place of places) {
        expect(pieces.some(({ start, end }) => place >= start && place < end)).toBe(true);
      }
    }),
  );
});
