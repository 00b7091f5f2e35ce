import { expect, test } from 'vitest';
import { ctcViterbi } from '../../pipeline/alignment/ctc-viterbi.ts';
import { describeWithShared, readGolden } from './shared-data.ts';

interface GoldenCase {
  readonly frames: number;
  readonly vocab: number;
  readonly blank: number;
  readonly targets: number[];
  readonly log_probs: number[][];
  readonly path: number[];
  readonly spans: [token: number, start: number, end: number, score: number][];
}

describeWithShared('CTC forced alignment', () => {
  test('takes the paths of torchaudio, frame by frame', () => {
    const cases = readGolden<GoldenCase[]>('ctc-forced-align.json');
    expect(cases.length).toBe(5);
    for (const { frames, vocab, blank, targets, log_probs, path, spans } of cases) {
      const logProbs = Float32Array.from(log_probs.flat());
      const found = ctcViterbi(
        { logProbs, frames, classes: vocab },
        { targets: Int32Array.from(targets), blankId: blank },
      )!;
      expect(Array.from(found, (unit) => targets[unit] ?? blank)).toEqual(path);
      for (const [unit, [token, start, end, score]] of spans.entries()) {
        expect(token).toBe(targets[unit]);
        expect([found.indexOf(unit), found.lastIndexOf(unit) + 1]).toEqual([start, end]);
        const own = logProbs.filter((_, at) => {
          const frame = Math.floor(at / vocab);
          return at % vocab === token && frame >= start && frame < end;
        });
        const mean = own.reduce((sum, value) => sum + Math.exp(value), 0) / own.length;
        expect(mean).toBeCloseTo(score, 3);
      }
    }
  });
});
