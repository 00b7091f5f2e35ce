import { type FileHandle, open } from 'node:fs/promises';
import { SttError } from '../core/errors.ts';
import { findWarnings } from './audio-warnings.ts';
import { type DecodedAudio, type DecodeTask, maxSamples, tooLong } from './decode-task.ts';
import { downmixWeights } from './downmix.ts';
import { writeAt } from './spool.ts';
import { FULL_SCALE } from './spooled-waveform.ts';
import { readWavLayout, type WavLayout } from './wav-header.ts';

const FRAMES_PER_BLOCK = 64 * 1024;

/**
 * Reads a 16 kHz WAV without ffmpeg, with the same result; undefined for one that needs ffmpeg.
 * @throws {SttError} AUDIO_UNDECODABLE, AUDIO_EMPTY, AUDIO_TOO_LONG, DISK_FULL
 */
export async function decodeWav(
  task: DecodeTask,
  maxSec: number,
  signal: AbortSignal,
): Promise<DecodedAudio | undefined> {
  const file = await open(task.path, 'r');
  try {
    const layout = await readWavLayout(file);
    const weights = layout && downmixWeights(layout.channelCount, layout.channelMask);
    if (layout === undefined || weights === undefined) return undefined;
    const { frameCount } = layout;
    if (frameCount === 0) throw new SttError('AUDIO_EMPTY', 'The WAV file has 0 samples');
    if (frameCount > maxSamples(maxSec)) throw tooLong(maxSec);
    let position = 0;
    for (let frame = 0; frame < frameCount; frame += FRAMES_PER_BLOCK) {
      signal.throwIfAborted();
      const blockFrames = Math.min(FRAMES_PER_BLOCK, frameCount - frame);
      const mono = mixToMono(await readFrames(file, layout, frame, blockFrames), weights);
      position = await writeAt(task.output.handle, new Uint8Array(mono.buffer), position);
    }
    const findings = { sampleCount: frameCount, gaps: [], complaints: [] };
    return { sampleCount: frameCount, warnings: await findWarnings(task, findings) };
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

/** Weighted sum of `[frames, channels]`, rounded and clipped as ffmpeg does. */
function mixToMono(
  samples: Int16Array<ArrayBuffer> | Float32Array,
  weights: readonly number[],
): Int16Array<ArrayBuffer> {
  const channelCount = weights.length;
  if (channelCount === 1 && samples instanceof Int16Array) return samples;
  const scale = samples instanceof Float32Array ? FULL_SCALE : 1;
  const mono = new Int16Array(samples.length / channelCount);
  for (let frame = 0; frame < mono.length; frame += 1) {
    let sum = 0;
    for (let channel = 0; channel < channelCount; channel += 1) {
      sum += samples[frame * channelCount + channel]! * weights[channel]!;
    }
    mono[frame] = Math.max(-FULL_SCALE, Math.min(FULL_SCALE - 1, Math.round(sum * scale)));
  }
  return mono;
}
