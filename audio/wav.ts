import { type FileHandle, open } from 'node:fs/promises';
import { SttError } from '../core/errors.ts';
import { findWarnings } from './audio-warnings.ts';
import { type DecodeTask, maxSamples, tooLong } from './decode-task.ts';
import { FULL_SCALE } from './spooled-waveform.ts';
import { readWavLayout, type WavLayout } from './wav-header.ts';
import type { AudioWarning } from './waveform.ts';

const SAMPLES_PER_BLOCK = 128 * 1024;

/**
 * Reads a 16 kHz WAV without ffmpeg, with the same result, and returns what is to be said of it;
 * undefined for one that needs ffmpeg.
 * @throws {SttError} AUDIO_UNDECODABLE, AUDIO_UNSUPPORTED, AUDIO_EMPTY, AUDIO_TOO_LONG, DISK_FULL
 */
export async function decodeWav(
  { path, output }: Pick<DecodeTask, 'path' | 'output'>,
  maxSec: number,
  signal: AbortSignal,
): Promise<AudioWarning[] | undefined> {
  const file = await open(path, 'r');
  try {
    const layout = await readWavLayout(file);
    if (layout === undefined) return undefined;
    const { frameCount, channelCount } = layout;
    if (frameCount === 0) throw new SttError('AUDIO_EMPTY', 'The WAV file has 0 samples');
    if (frameCount > maxSamples(maxSec)) throw tooLong(maxSec);
    await output.begin(layout);
    const blockFrames = Math.max(1, Math.floor(SAMPLES_PER_BLOCK / channelCount));
    for (let frame = 0; frame < frameCount; frame += blockFrames) {
      signal.throwIfAborted();
      const frames = Math.min(blockFrames, frameCount - frame);
      await output.write(toFloat(await readFrames(file, layout, frame, frames)));
    }
    const findings = { sampleCount: frameCount, gaps: [], complaints: [] };
    return await findWarnings({ path, mediaType: 'wav' }, findings);
  } finally {
    await file.close();
  }
}

/** Interleaved samples `[frames, channels]` as they are in the file. */
async function readFrames(
  file: FileHandle,
  { encoding, channelCount, dataOffset }: WavLayout,
  startFrame: number,
  frameCount: number,
): Promise<Int16Array<ArrayBuffer> | Float32Array> {
  const sampleCount = frameCount * channelCount;
  const samples =
    encoding === 'int16' ? new Int16Array(sampleCount) : new Float32Array(sampleCount);
  const bytes = new Uint8Array(samples.buffer);
  const start = dataOffset + startFrame * channelCount * samples.BYTES_PER_ELEMENT;
  for (let filled = 0; filled < bytes.length; ) {
    const rest = bytes.length - filled;
    const { bytesRead } = await file.read(bytes, filled, rest, start + filled);
    if (bytesRead === 0) throw new SttError('AUDIO_UNDECODABLE', 'The WAV file shrank');
    filled += bytesRead;
  }
  return samples;
}

const toFloat = (samples: Int16Array | Float32Array): Float32Array =>
  samples instanceof Float32Array
    ? samples
    : Float32Array.from(samples, (sample) => sample / FULL_SCALE);
