import { type SampleRange, samplesToSec } from '../../audio/time.ts';
import type { Waveform } from '../../audio/waveform.ts';

/**
 * A recording of any length that needs no memory: silence, but the first sample of every piece
 * holds the piece's start in seconds, so that a fake recogniser can tell pieces apart.
 */
export class SyntheticWaveform implements Waveform {
  readonly sampleCount: number;
  readonly readRanges: SampleRange[] = [];

  constructor(sampleCount: number) {
    this.sampleCount = sampleCount;
  }

  async read(range: SampleRange): Promise<Float32Array<ArrayBuffer>> {
    if (range.start < 0 || range.end > this.sampleCount || range.start >= range.end) {
      throw new RangeError(
        `Cannot read ${range.start}–${range.end} of ${this.sampleCount} samples`,
      );
    }
    this.readRanges.push(range);
    const piece = new Float32Array(range.end - range.start);
    piece[0] = samplesToSec(range.start);
    return piece;
  }
}
