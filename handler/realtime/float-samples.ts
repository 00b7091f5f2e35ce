import { makeFinite } from '../../audio/finite-samples.ts';
import { SAMPLE_RATE_HZ } from '../../audio/time.ts';

const BYTES_PER_SAMPLE = Float32Array.BYTES_PER_ELEMENT;

/** Little-endian float32 → samples; a part of one at the end is left out, and no number is silence. */
export function floatWaveform(bytes: Buffer): Float32Array<ArrayBuffer> {
  const waveform = new Float32Array(Math.floor(bytes.length / BYTES_PER_SAMPLE));
  for (let sample = 0; sample < waveform.length; sample++) {
    waveform[sample] = bytes.readFloatLE(sample * BYTES_PER_SAMPLE);
  }
  makeFinite(waveform);
  return waveform;
}

/** Samples → little-endian float32. */
export function floatBytes(waveform: Float32Array): Buffer {
  const bytes = Buffer.alloc(waveform.length * BYTES_PER_SAMPLE);
  for (const [sample, value] of waveform.entries()) {
    bytes.writeFloatLE(value, sample * BYTES_PER_SAMPLE);
  }
  return bytes;
}

const HEADER_BYTES = 44;
/** Says that the samples go on to the end of the file. */
const MAX_CLAIMED_BYTES = 0xffff_ffff;

/** Of a WAV file with this many 16 kHz mono samples of float32. */
export function wavHeader(sampleCount: number): Buffer {
  const dataBytes = sampleCount * BYTES_PER_SAMPLE;
  const header = Buffer.alloc(HEADER_BYTES);
  header.write('RIFF', 0);
  header.writeUInt32LE(Math.min(HEADER_BYTES - 8 + dataBytes, MAX_CLAIMED_BYTES), 4);
  header.write('WAVEfmt ', 8);
  header.writeUInt32LE(16, 16); // Size of what follows up to `data`.
  header.writeUInt16LE(3, 20); // IEEE float
  header.writeUInt16LE(1, 22); // Channels
  header.writeUInt32LE(SAMPLE_RATE_HZ, 24);
  header.writeUInt32LE(SAMPLE_RATE_HZ * BYTES_PER_SAMPLE, 28);
  header.writeUInt16LE(BYTES_PER_SAMPLE, 32);
  header.writeUInt16LE(8 * BYTES_PER_SAMPLE, 34);
  header.write('data', 36);
  header.writeUInt32LE(Math.min(dataBytes, MAX_CLAIMED_BYTES), 40);
  return header;
}
