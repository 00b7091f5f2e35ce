import type { SampleRange } from '../audio/time.ts';
import type { WindowPieces } from './time-map.ts';

/** A window's samples, those of its pieces one after the other. */
export interface WindowAudio {
  readonly pieces: WindowPieces;
  readonly waveform: Float32Array<ArrayBuffer>;
}

/** Root mean square of a range of the recording, in dB of full scale; −Infinity for silence. */
export function loudnessDb({ pieces, waveform }: WindowAudio, range: SampleRange): number {
  let sum = 0;
  let count = 0;
  let done = 0;
  for (const piece of pieces) {
    const from = Math.max(piece.start, range.start);
    const to = Math.min(piece.end, range.end);
    for (let sample = from; sample < to; sample++) {
      sum += waveform[done + sample - piece.start]! ** 2;
      count += 1;
    }
    done += piece.end - piece.start;
  }
  return count === 0 ? Number.NEGATIVE_INFINITY : 10 * Math.log10(sum / count);
}
