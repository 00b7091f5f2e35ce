import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type CtcTargets, ctcViterbi, STAR } from '../../../../pipeline/alignment/ctc-viterbi.ts';

const BLANK = 0;
const CLASSES = 3;

/** Best total over every way of giving a unit or blank to each frame, by CTC's own definition. */
function bestTotal(rows: readonly number[][], { targets, optional, star }: CtcTargets): number {
  const wanted = new Set<string>();
  const choose = (unit: number, taken: readonly number[]): void => {
    if (unit === targets.length) wanted.add(taken.join());
    else {
      choose(unit + 1, [...taken, unit]);
      if (optional?.[unit] === 1) choose(unit + 1, taken);
    }
  };
  choose(0, []);
  let best = Number.NEGATIVE_INFINITY;
  const walk = (frame: number, said: readonly number[], last: number, total: number): void => {
    if (frame === rows.length) {
      if (wanted.has(said.join())) best = Math.max(best, total);
      return;
    }
    for (let unit = -1; unit < targets.length; unit++) {
      const target = unit < 0 ? BLANK : targets[unit]!;
      const next = unit < 0 || unit === last ? said : [...said, unit];
      const isSameLabel = unit >= 0 && unit !== last && last >= 0 && target === targets[last];
      if (isSameLabel && target !== STAR) continue; // CTC would read one label.
      const gain = target === STAR ? star![frame]! : rows[frame]![target]!;
      walk(frame + 1, next, unit, total + gain);
    }
  };
  walk(0, [], -1, 0);
  return best;
}

const row = fc.array(fc.integer({ min: -8, max: 0 }), {
  minLength: CLASSES,
  maxLength: CLASSES,
});
const problem = fc.record({
  rows: fc.array(row, { minLength: 1, maxLength: 5 }),
  targets: fc.array(fc.constantFrom(1, 2, STAR), { minLength: 1, maxLength: 4 }),
  star: fc.array(fc.integer({ min: -8, max: 0 }), { minLength: 5, maxLength: 5 }),
  optionalUnit: fc.integer({ min: 0, max: 6 }),
});

test('no path is better than the one found, whatever the text and the emissions', () => {
  fc.assert(
    fc.property(problem, ({ rows, targets, star, optionalUnit }) => {
      const isInside = optionalUnit > 0 && optionalUnit < targets.length - 1;
      const text: CtcTargets = {
        targets: Int32Array.from(targets),
        blankId: BLANK,
        optional: Uint8Array.from(targets, (_, unit) => Number(isInside && unit === optionalUnit)),
        star: Float32Array.from(star),
      };
      const emissions = {
        logProbs: Float32Array.from(rows.flat()),
        frames: rows.length,
        classes: CLASSES,
      };
      const path = ctcViterbi(emissions, text);
      const best = bestTotal(rows, text);
      if (path === undefined) {
        expect(best).toBe(Number.NEGATIVE_INFINITY);
        return;
      }
      const total = path.reduce((sum, unit, frame) => {
        const target = unit < 0 ? BLANK : targets[unit]!;
        return sum + (target === STAR ? star[frame]! : rows[frame]![target]!);
      }, 0);
      expect(total).toBe(best);
      const said = [...path].filter((unit, frame) => unit >= 0 && unit !== path[frame - 1]);
      expect(said).toEqual([...said].sort((a, b) => a - b));
    }),
    { numRuns: 1500, seed: 7 },
  );
});

test('a text with more units than frames has no path', () => {
  const emissions = { logProbs: new Float32Array(2 * CLASSES), frames: 2, classes: CLASSES };
  const align = (targets: number[]) =>
    ctcViterbi(emissions, { targets: Int32Array.from(targets), blankId: BLANK });
  expect(align([1, 2, 1])).toBeUndefined();
  expect(align([1, 1])).toBeUndefined();
  expect(align([1, 2])).toEqual(Int32Array.from([0, 1]));
});
