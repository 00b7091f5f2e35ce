import type { FileHandle } from 'node:fs/promises';
import { SttError } from '../core/errors.ts';
import type { DecodedAudio } from './decode-task.ts';
import type { SampleRange } from './time.ts';
import type { SpooledWaveform } from './waveform.ts';

export const BYTES_PER_SAMPLE = 2;
/** int16 that stands for 1. */
export const FULL_SCALE = 32_768;

/** Random access to a file of 16 kHz mono int16 samples (little-endian, no header). */
export function createSpooledWaveform(
  pcm: FileHandle,
  { sampleCount, warnings }: DecodedAudio,
  close: () => Promise<void>,
): SpooledWaveform {
  let isClosed = false;
  const read = async (range: SampleRange): Promise<Float32Array<ArrayBuffer>> => {
    if (isClosed) throw new SttError('INTERNAL', 'The waveform was read after it was closed');
    assertInside(range, sampleCount);
    return toWaveform(await readSamples(pcm, range));
  };
  return {
    sampleCount,
    warnings,
    read,
    close: () => {
      isClosed = true;
      return close();
    },
  };
}

function assertInside({ start, end }: SampleRange, sampleCount: number): void {
  const isValid = Number.isInteger(start) && Number.isInteger(end) && 0 <= start && start <= end;
  if (isValid && end <= sampleCount) return;
  throw new SttError('INTERNAL', `Samples ${start} to ${end} do not lie in 0 to ${sampleCount}`);
}

async function readSamples(pcm: FileHandle, { start, end }: SampleRange): Promise<Int16Array> {
  const samples = new Int16Array(end - start);
  const bytes = new Uint8Array(samples.buffer);
  for (let filled = 0; filled < bytes.length; ) {
    const position = start * BYTES_PER_SAMPLE + filled;
    const { bytesRead } = await pcm.read(bytes, filled, bytes.length - filled, position);
    if (bytesRead === 0) throw new SttError('INTERNAL', 'The spool file ended too early');
    filled += bytesRead;
  }
  return samples;
}

function toWaveform(samples: Int16Array): Float32Array<ArrayBuffer> {
  const waveform = new Float32Array(samples.length);
  for (let sample = 0; sample < samples.length; sample += 1) {
    waveform[sample] = samples[sample]! / FULL_SCALE;
  }
  return waveform;
}
