import { FULL_SCALE } from '../../audio/spooled-waveform.ts';
import { SAMPLE_RATE_HZ } from '../../audio/time.ts';

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

const HEADER_BYTES = 44;

/** Of a WAV file with this many 16 kHz mono samples. */
export function wavHeader(sampleCount: number): Buffer {
  const dataBytes = sampleCount * BYTES_PER_SAMPLE;
  const header = Buffer.alloc(HEADER_BYTES);
  header.write('RIFF', 0);
  header.writeUInt32LE(HEADER_BYTES - 8 + dataBytes, 4);
  header.write('WAVEfmt ', 8);
  header.writeUInt32LE(16, 16); // Size of what follows up to `data`.
  header.writeUInt16LE(1, 20); // PCM
  header.writeUInt16LE(1, 22); // Channels
  header.writeUInt32LE(SAMPLE_RATE_HZ, 24);
  header.writeUInt32LE(SAMPLE_RATE_HZ * BYTES_PER_SAMPLE, 28);
  header.writeUInt16LE(BYTES_PER_SAMPLE, 32);
  header.writeUInt16LE(8 * BYTES_PER_SAMPLE, 34);
  header.write('data', 36);
  header.writeUInt32LE(dataBytes, 40);
  return header;
}
