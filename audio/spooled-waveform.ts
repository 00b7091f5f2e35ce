import type { FileHandle } from 'node:fs/promises';
import { SttError } from '../core/errors.ts';
import { applyGains } from './gain.ts';
import type { SampleRange } from './time.ts';
import type { SpooledWaveform, Waveform } from './waveform.ts';

const BYTES_PER_SAMPLE = Float32Array.BYTES_PER_ELEMENT;
/** int16 that stands for 1. */
export const FULL_SCALE = 32_768;

/** A file of 16 kHz mono float32 samples, without a header. */
export interface SpooledSamples {
  readonly handle: FileHandle;
  readonly sampleCount: number;
  /** See `gainsOf`. */
  readonly gains: Float32Array;
  /** Level of its loudest block; −Infinity without any. */
  readonly peakLevelDb: number;
}

/** Random access to a recording's mix, or to each of its channels and their mean. */
export function spooledRecording(
  spooled: readonly SpooledSamples[],
  { isSeparate, close, ...rest }: RecordingTraits,
): SpooledWaveform {
  let isClosed = false;
  const waveforms = spooled.map((samples) => randomAccess(samples, () => isClosed));
  const recording = {
    ...rest,
    close: () => {
      isClosed = true;
      return close();
    },
  };
  return isSeparate
    ? { ...recording, ...meanOf(waveforms), channels: waveforms }
    : { ...recording, ...waveforms[0]! };
}

interface RecordingTraits extends Pick<SpooledWaveform, 'close' | 'warnings'> {
  readonly isSeparate: boolean;
}

const meanOf = (waveforms: readonly Waveform[]): Waveform => ({
  sampleCount: waveforms[0]!.sampleCount,
  read: async (range) => {
    const channels = await Promise.all(waveforms.map((waveform) => waveform.read(range)));
    return Float32Array.from(
      { length: range.end - range.start },
      (_, sample) => channels.reduce((sum, channel) => sum + channel[sample]!, 0) / channels.length,
    );
  },
});

/** Quiet speech is raised. */
function randomAccess(
  { handle, sampleCount, gains }: SpooledSamples,
  isClosed: () => boolean,
): Waveform {
  return {
    sampleCount,
    read: async (range) => {
      if (isClosed()) throw new SttError('INTERNAL', 'The waveform was read after it was closed');
      assertInside(range, sampleCount);
      const waveform = await readSamples(handle, range);
      applyGains(waveform, range.start, gains);
      return waveform;
    },
  };
}

function assertInside({ start, end }: SampleRange, sampleCount: number): void {
  const isValid = Number.isInteger(start) && Number.isInteger(end) && 0 <= start && start <= end;
  if (isValid && end <= sampleCount) return;
  throw new SttError('INTERNAL', `Samples ${start} to ${end} do not lie in 0 to ${sampleCount}`);
}

async function readSamples(
  file: FileHandle,
  { start, end }: SampleRange,
): Promise<Float32Array<ArrayBuffer>> {
  const waveform = new Float32Array(end - start);
  const bytes = new Uint8Array(waveform.buffer);
  for (let filled = 0; filled < bytes.length; ) {
    const position = start * BYTES_PER_SAMPLE + filled;
    const { bytesRead } = await file.read(bytes, filled, bytes.length - filled, position);
    if (bytesRead === 0) throw new SttError('INTERNAL', 'The spool file ended too early');
    filled += bytesRead;
  }
  return waveform;
}
