import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { tokenStartFrames } from '../../../../pipeline/alignment/dynamic-time-warping.ts';

/** Highest total weight of all paths from the first place to the last, by trying every path. */
function bestByTrying(weights: readonly number[], tokens: number, frames: number): number {
  const best = (token: number, frame: number): number => {
    const here = weights[token * frames + frame]!;
    const isEnd = token === tokens - 1 && frame === frames - 1;
    if (isEnd) return here;
    const next = [
      [token + 1, frame],
      [token, frame + 1],
      [token + 1, frame + 1],
    ].filter(([t, f]) => t! < tokens && f! < frames);
    return here + Math.max(...next.map(([t, f]) => best(t!, f!)));
  };
  return best(0, 0);
}

/** Highest total weight of the paths on which token t is first met at frame starts[t]. */
function bestWithStarts(
  weights: readonly number[],
  starts: readonly number[],
  frames: number,
): number {
  const sum = (token: number, from: number, until: number): number =>
    weights
      .slice(token * frames + from, token * frames + until)
      .reduce((total, weight) => total + weight, 0);
  return starts.reduce((total, start, token) => {
    const next = starts[token + 1];
    if (next === undefined) return total + sum(token, start, frames);
    // Until the frame before the next token starts, or sharing that frame with it.
    const alone = next > start ? sum(token, start, next) : Number.NEGATIVE_INFINITY;
    return total + Math.max(alone, sum(token, start, next + 1));
  }, 0);
}

const matrices = fc
  .tuple(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 6 }))
  .chain(([tokens, frames]) =>
    fc.record({
      tokens: fc.constant(tokens),
      frames: fc.constant(frames),
      weights: fc.array(fc.integer({ min: -4, max: 4 }), {
        minLength: tokens * frames,
        maxLength: tokens * frames,
      }),
    }),
  );

describe('tokenStartFrames', () => {
  test('follows a path that no other one outweighs', () => {
    fc.assert(
      fc.property(matrices, ({ weights, tokens, frames }) => {
        const starts = [...tokenStartFrames(Float32Array.from(weights), tokens, frames)];
        expect(starts.length).toBe(tokens);
        expect(starts[0]).toBe(0);
        expect(starts).toEqual(starts.toSorted((a, b) => a - b));
        expect(starts.at(-1)).toBeLessThan(frames);
        const best = bestByTrying(weights, tokens, frames);
        expect(bestWithStarts(weights, starts, frames)).toBe(best);
      }),
      { numRuns: 500 },
    );
  });

  test('finds the steps of a staircase', () => {
    const frames = 9;
    const steps = [0, 2, 3, 7];
    const weights = new Float32Array(steps.length * frames).fill(-1);
    for (const [token, start] of steps.entries()) {
      weights.fill(1, token * frames + start, token * frames + (steps[token + 1] ?? frames));
    }
    expect([...tokenStartFrames(weights, steps.length, frames)]).toEqual(steps);
  });

  test('gives more tokens than frames the frames that there are', () => {
    expect([...tokenStartFrames(new Float32Array(5), 5, 1)]).toEqual([0, 0, 0, 0, 0]);
  });

  test('is exact on the largest window', () => {
    const [tokens, frames] = [225, 1500];
    const weights = Float32Array.from({ length: tokens * frames }, (_, i) => {
      const [token, frame] = [Math.floor(i / frames), i % frames];
      return Math.floor((frame * tokens) / frames) === token ? 1 : -1;
    });
    const expected = Array.from({ length: tokens }, (_, token) =>
      Math.ceil((token * frames) / tokens),
    );
    expect([...tokenStartFrames(weights, tokens, frames)]).toEqual(expected);
  });
});
