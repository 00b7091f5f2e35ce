import { FULL_SCALE } from '../../audio/spooled-waveform.ts';

const BYTES_PER_SAMPLE = 2;

/** Little-endian int16 → samples in [-1, 1); half a sample at the end is left out. */
export function pcm16Waveform(bytes: Buffer): Float32Array<ArrayBuffer> {
  const waveform = new Float32Array(Math.floor(bytes.length / BYTES_PER_SAMPLE));
  for (let sample = 0; sample < waveform.length; sample++) {
    waveform[sample] = bytes.readInt16LE(sample * BYTES_PER_SAMPLE) / FULL_SCALE;
  }
  return waveform;
}

/** Samples → little-endian int16, clipped. */
export function pcm16Bytes(waveform: Float32Array): Buffer {
  const bytes = Buffer.alloc(waveform.length * BYTES_PER_SAMPLE);
  for (const [sample, value] of waveform.entries()) {
    const level = Math.max(-FULL_SCALE, Math.min(FULL_SCALE - 1, Math.round(value * FULL_SCALE)));
    bytes.writeInt16LE(level, sample * BYTES_PER_SAMPLE);
  }
  return bytes;
}
