import type { Waveform } from '../../audio/waveform.ts';
import { Breather } from '../breather.ts';
import type { SpeakerSegmentationModel } from '../contracts.ts';
import { type FrameRange, framesIn, hysteresis, runsWhere, type Thresholds } from './frame-runs.ts';

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

export interface LocalSpeakers {
  /** In time order. */
  readonly speakers: readonly LocalSpeaker[];
  /** Of the activity, for turns too. */
  readonly thresholds: Thresholds;
}

/**
 * A speaker begins above `most` where the network is sure. Of distant speech it is not: most of
 * what it misses there has a probability between the two.
 */
const ONSET = { least: 0.2, most: 0.5, offsetRatio: 0.8 } as const;
/** A speaker must be heard this long in a window to count: shorter is a breath or a cough. */
const MIN_ACTIVE_SAMPLES = 4000;

/** What the segmentation makes of one window. */
interface SegmentedWindow {
  readonly window: number;
  readonly startFrame: number;
  /** `[frames, speakers]`, 0–255. */
  readonly activity: Uint8Array;
}

/**
 * The speakers of every window, and from which probability on they speak. Windows are `stepSamples` apart, the last one ends with
 * the recording; a batch of them is read at a time.
 */
export async function findLocalSpeakers(
  waveform: Waveform,
  model: SpeakerSegmentationModel,
  options: ListenOptions,
  signal: AbortSignal,
): Promise<LocalSpeakers> {
  const starts = windowStarts(waveform.sampleCount, model);
  const breather = new Breather(signal);
  const segmented: SegmentedWindow[] = [];
  const histogram = new Float64Array(FULL_ACTIVITY + 1);
  for (let first = 0; first < starts.length; first += model.batchSize) {
    const batch = starts.slice(first, first + model.batchSize);
    const probabilities = await model.segment(await readWindows(waveform, model, batch), signal);
    const size = model.framesPerWindow * model.localSpeakers;
    for (const [index, start] of batch.entries()) {
      const scores = probabilities.subarray(index * size, (index + 1) * size);
      const activity = Uint8Array.from(scores, (value) => Math.round(value * FULL_ACTIVITY));
      for (const value of activity) histogram[value]! += 1;
      const startFrame = start / model.frameSamples;
      segmented.push({ window: first + index, startFrame, activity });
      if (breather.isDue) await breather.rest();
    }
    options.onProgress(Math.min(1, (first + batch.length) / starts.length));
  }
  const onset = expectedOnset(histogram);
  const thresholds = { onset, offset: ONSET.offsetRatio * onset };
  const speakers: LocalSpeaker[] = [];
  for (const window of segmented) {
    speakers.push(...speakersOf(window, model, thresholds));
    if (breather.isDue) await breather.rest();
  }
  return { speakers, thresholds };
}

/**
 * The highest onset, within bounds, above which there is as much speech as the probabilities above the
 * lower bound add up to: one half where the network is sure, less where it is unsure for long.
 * @param histogram how often each activity occurs.
 */
export function expectedOnset(histogram: Float64Array): number {
  const least = ONSET.least * FULL_ACTIVITY;
  const most = Math.floor(ONSET.most * FULL_ACTIVITY);
  let expected = 0;
  for (const [activity, count] of histogram.entries()) {
    if (activity > least) expected += (activity / FULL_ACTIVITY) * count;
  }
  let above = 0;
  for (let activity = FULL_ACTIVITY; activity > least; activity--) {
    above += histogram[activity]!;
    if (activity <= most + 1 && above >= expected) return activity - 1;
  }
  return least;
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
  { activity: all, ...position }: SegmentedWindow,
  { framesPerWindow: frames, localSpeakers, frameSamples }: SpeakerSegmentationModel,
  thresholds: Thresholds,
): LocalSpeaker[] {
  const activities = Array.from({ length: localSpeakers }, (_, speaker) =>
    column(all, speaker, localSpeakers),
  );
  const masks = activities.map((activity) => hysteresis(activity, thresholds));
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
    return [{ ...position, activity: activities[speaker]!, solo, soloFrames: framesIn(solo) }];
  });
}

function column(activity: Uint8Array, speaker: number, width: number): Uint8Array {
  const values = new Uint8Array(activity.length / width);
  for (let frame = 0; frame < values.length; frame++) {
    values[frame] = activity[frame * width + speaker]!;
  }
  return values;
}
