import type { Waveform } from '../audio/waveform.ts';
import { type WindowPieces, windowSamplesOf } from './time-map.ts';

/** The samples of a window's pieces, one piece after the other. */
export async function readPieces(
  waveform: Waveform,
  pieces: WindowPieces,
): Promise<Float32Array<ArrayBuffer>> {
  const window = new Float32Array(windowSamplesOf(pieces));
  let filled = 0;
  for (const piece of pieces) {
    const samples = await waveform.read(piece);
    window.set(samples, filled);
    filled += samples.length;
  }
  return window;
}
