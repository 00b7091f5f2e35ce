import { describe, expect, test } from 'vitest';
import {
  countDiarizationErrors,
  diarizationErrorRate,
  sumDiarizationErrors,
} from '../../../bench/diarization-errors.ts';
import { optimalAssignment } from '../../../bench/optimal-assignment.ts';
import { parseRttm, type SpeakerTurn } from '../../../bench/rttm.ts';

const turn = (speaker: string, start: number, end: number): SpeakerTurn => ({
  speaker,
  range: { start, end },
});

describe('diarization error rate', () => {
  test('is zero for the same turns under other names', () => {
    const reference = [turn('anna', 0, 100), turn('ben', 100, 150)];
    const hypothesis = [turn('SPEAKER_01', 0, 100), turn('SPEAKER_00', 100, 150)];
    expect(diarizationErrorRate(countDiarizationErrors(reference, hypothesis))).toBe(0);
  });

  test('splits errors into missed, false alarm and confusion', () => {
    // anna 0–100, ben 100–200; heard: one 10–120, two 120–190, two again 210–230.
    const reference = [turn('anna', 0, 100), turn('ben', 100, 200)];
    const hypothesis = [turn('one', 10, 120), turn('two', 120, 190), turn('two', 210, 230)];
    const errors = countDiarizationErrors(reference, hypothesis);
    expect(errors).toEqual({ missed: 20, falseAlarm: 20, confusion: 20, referenceSamples: 200 });
    expect(diarizationErrorRate(errors)).toBeCloseTo(0.3);
  });

  test('counts overlapped speech for each speaker', () => {
    const reference = [turn('anna', 0, 100), turn('ben', 50, 100)];
    const errors = countDiarizationErrors(reference, [turn('one', 0, 100)]);
    expect(errors).toEqual({ missed: 50, falseAlarm: 0, confusion: 0, referenceSamples: 150 });
    const skipped = countDiarizationErrors(reference, [turn('one', 0, 100)], { skipOverlap: true });
    expect(skipped).toEqual({ missed: 0, falseAlarm: 0, confusion: 0, referenceSamples: 50 });
  });

  test('does not score the collar around reference boundaries', () => {
    const errors = countDiarizationErrors([turn('anna', 100, 200)], [turn('one', 95, 190)], {
      collarSamples: 20,
    });
    expect(errors).toEqual({ missed: 0, falseAlarm: 0, confusion: 0, referenceSamples: 80 });
  });

  test('maps names so that most time is right, not greedily', () => {
    // Greedy takes anna–one (60) and is left with ben–two (0); the best is anna–two, ben–one.
    const reference = [turn('anna', 0, 110), turn('ben', 200, 255)];
    const hypothesis = [turn('one', 0, 60), turn('two', 60, 110), turn('one', 200, 255)];
    expect(countDiarizationErrors(reference, hypothesis).confusion).toBe(60);
  });

  test('leaves speakers unmapped where one side has more', () => {
    const reference = [turn('anna', 0, 100)];
    const hypothesis = [turn('one', 0, 60), turn('two', 60, 100)];
    expect(countDiarizationErrors(reference, hypothesis).confusion).toBe(40);
    expect(countDiarizationErrors(hypothesis, reference).confusion).toBe(40);
  });

  test('of nothing heard is all missed, of recordings together is weighted by length', () => {
    const silent = countDiarizationErrors([turn('anna', 0, 100)], []);
    expect(silent.missed).toBe(100);
    const right = countDiarizationErrors([turn('anna', 0, 300)], [turn('one', 0, 300)]);
    expect(diarizationErrorRate(sumDiarizationErrors([silent, right]))).toBe(0.25);
  });

  test('reads the speaker lines of an RTTM text', () => {
    const text = [
      'SPKR-INFO a 1 <NA> <NA> <NA> unknown anna <NA> <NA>',
      'SPEAKER a 1 0.500 1.250 <NA> <NA> anna <NA> <NA>',
      'SPEAKER b 1 2 1 <NA> <NA> ben <NA> <NA>',
      '',
    ].join('\n');
    expect([...parseRttm(text)]).toEqual([
      ['a', [turn('anna', 8000, 28_000)]],
      ['b', [turn('ben', 32_000, 48_000)]],
    ]);
  });
});

describe('optimal assignment', () => {
  test('equals the best of all permutations on random matrices of every shape', () => {
    let seed = 7;
    const random = (): number => {
      seed = (seed * 48_271) % 2_147_483_647;
      return (seed % 21) - 5;
    };
    for (let round = 0; round < 200; round++) {
      const [rows, columns] = [1 + (round % 5), 1 + ((round * 3) % 4)];
      const gains = Array.from({ length: rows }, () => Array.from({ length: columns }, random));
      const result = optimalAssignment(gains);
      const paired = result.filter((column) => column >= 0);
      expect(new Set(paired).size).toBe(Math.min(rows, columns));
      const total = result.reduce((sum, column, row) => sum + (gains[row]![column] ?? 0), 0);
      expect(total).toBe(bruteForce(gains, 0, new Set(), Math.max(0, rows - columns)));
    }
  });
});

/** The largest sum when at most `skips` rows stay unpaired. */
function bruteForce(gains: number[][], row: number, used: Set<number>, skips: number): number {
  if (row === gains.length) return 0;
  const options = gains[row]!.flatMap((gain, column) =>
    used.has(column) ? [] : [gain + bruteForce(gains, row + 1, new Set([...used, column]), skips)],
  );
  if (skips > 0) options.push(bruteForce(gains, row + 1, used, skips - 1));
  return Math.max(...options);
}
