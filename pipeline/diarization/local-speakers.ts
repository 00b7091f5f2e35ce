import type { Waveform } from '../../audio/waveform.ts';
import { Breather } from '../breather.ts';
import type { SpeakerSegmentationModel } from '../contracts.ts';
import { type FrameRange, framesIn, hysteresis, runsWhere } from './frame-runs.ts';

/** When someone speaks. */
export interface Activity {
  /** In frames of the recording. */
  readonly startFrame: number;
  /** Probability of each frame from there on, 0–255: a tenth of the memory of a day's recording. */
  readonly activity: Uint8Array;
}

/** One speaker as the segmentation heard them within one window, whose first frame is `startFrame`. */
export interface LocalSpeaker extends Activity {
  readonly window: number;
  /** Where nobody else speaks, in frames of the recording. */
  readonly solo: readonly FrameRange[];
  readonly soloFrames: number;
}

export const FULL_ACTIVITY = 255;

export interface ListenOptions {
  readonly onProgress: (fraction: number) => void;
}

/** What embeddings are made of; turns have thresholds of their own, which may be lower. */
const CLEAR_SPEECH = { onset: 0.5, offset: 0.4 };
/** A speaker must be heard this long in a window to count: shorter is a breath or a cough. */
const MIN_ACTIVE_SAMPLES = 4000;

/**
 * The speakers of every window, in time order. Windows are `stepSamples` apart, the last one ends with
 * the recording; a batch of them is read at a time.
 */
export async function findLocalSpeakers(
  waveform: Waveform,
  model: SpeakerSegmentationModel,
  options: ListenOptions,
  signal: AbortSignal,
): Promise<LocalSpeaker[]> {
  const starts = windowStarts(waveform.sampleCount, model);
  const breather = new Breather(signal);
  const found: LocalSpeaker[] = [];
  for (let first = 0; first < starts.length; first += model.batchSize) {
    const batch = starts.slice(first, first + model.batchSize);
    const probabilities = await model.segment(await readWindows(waveform, model, batch), signal);
    const size = model.framesPerWindow * model.localSpeakers;
    for (const [index, start] of batch.entries()) {
      const scores = probabilities.subarray(index * size, (index + 1) * size);
      const position = { window: first + index, startFrame: start / model.frameSamples };
      found.push(...speakersOf(scores, model, position));
      if (breather.isDue) await breather.rest();
    }
    options.onProgress(Math.min(1, (first + batch.length) / starts.length));
  }
  return found;
}

/** Multiples of `frameSamples`, so that the frames of all windows lie on one grid. */
export function windowStarts(sampleCount: number, model: SpeakerSegmentationModel): number[] {
  const { windowSamples, stepSamples, frameSamples } = model;
  const last = Math.max(0, Math.floor((sampleCount - windowSamples) / frameSamples) * frameSamples);
  const starts: number[] = [];
  for (let start = 0; start < last; start += stepSamples) starts.push(start);
  return sampleCount === 0 ? [] : [...starts, last];
}

async function readWindows(
  waveform: Waveform,
  { windowSamples }: SpeakerSegmentationModel,
  starts: readonly number[],
): Promise<Float32Array<ArrayBuffer>> {
  const start = starts[0]!;
  const end = Math.min(waveform.sampleCount, starts.at(-1)! + windowSamples);
  const piece = await waveform.read({ start, end });
  const windows = new Float32Array(starts.length * windowSamples);
  for (const [index, windowStart] of starts.entries()) {
    const offset = windowStart - start;
    windows.set(piece.subarray(offset, offset + windowSamples), index * windowSamples);
  }
  return windows;
}

function speakersOf(
  scores: Float32Array,
  { framesPerWindow: frames, localSpeakers, frameSamples }: SpeakerSegmentationModel,
  position: { readonly window: number; readonly startFrame: number },
): LocalSpeaker[] {
  const masks = Array.from({ length: localSpeakers }, (_, speaker) =>
    hysteresis(column(scores, speaker, localSpeakers), CLEAR_SPEECH),
  );
  const speaking = (frame: number): number =>
    masks.reduce((count, mask) => count + mask[frame]!, 0);
  return masks.flatMap((mask, speaker) => {
    const activeFrames = mask.reduce((count, active) => count + active, 0);
    if (activeFrames * frameSamples < MIN_ACTIVE_SAMPLES) return [];
    const solo = runsWhere(frames, (frame) => mask[frame] === 1 && speaking(frame) === 1).map(
      ({ start, end }) => ({
        start: start + position.startFrame,
        end: end + position.startFrame,
      }),
    );
    const activity = Uint8Array.from(column(scores, speaker, localSpeakers), (probability) =>
      Math.round(probability * FULL_ACTIVITY),
    );
    return [{ ...position, activity, solo, soloFrames: framesIn(solo) }];
  });
}

function column(scores: Float32Array, speaker: number, width: number): Float32Array {
  const values = new Float32Array(scores.length / width);
  for (let frame = 0; frame < values.length; frame++) {
    values[frame] = scores[frame * width + speaker]!;
  }
  return values;
}
