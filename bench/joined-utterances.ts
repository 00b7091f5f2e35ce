import { msToSamples, type SampleRange, secToSamples } from '../audio/time.ts';
import { RandomSource } from './random-source.ts';

/** A recording of one utterance. */
export interface Utterance {
  readonly waveform: Float32Array;
  /** What is said in it. */
  readonly text: string;
}

/** Utterances side by side, and where each is spoken. */
export interface JoinedUtterances {
  readonly waveform: Float32Array<ArrayBuffer>;
  readonly spoken: readonly { readonly range: SampleRange; readonly text: string }[];
}

const FRAME_SAMPLES = msToSamples(10);
/** A frame of speech: so far below the loudest ones, and so far above the room. */
const BELOW_LOUD_DB = 35;
const ABOVE_ROOM_DB = 10;
/** What is shorter is a click. */
const MIN_SPOKEN_FRAMES = 4;
/** −66 dB: a quiet room. */
const NOISE_LEVEL = 0.0005;

/** From the first to the last frame that is loud enough for speech, by energy, to within about 20 ms. */
export function spokenRange(waveform: Float32Array): SampleRange {
  const levels = levelsDb(waveform);
  const sorted = levels.toSorted((a, b) => a - b);
  const at = (share: number): number => sorted[Math.floor(share * (sorted.length - 1))] ?? 0;
  const threshold = Math.max(at(0.95) - BELOW_LOUD_DB, Math.min(at(0.05), -50) + ABOVE_ROOM_DB);
  const isSpoken = (frame: number): boolean =>
    levels.slice(frame, frame + MIN_SPOKEN_FRAMES).every((level) => level > threshold);
  const frames = [...levels.keys()].filter(
    (frame) => frame + MIN_SPOKEN_FRAMES <= levels.length && isSpoken(frame),
  );
  const [first = 0, last = levels.length] = [frames[0], frames.at(-1)];
  return {
    start: first * FRAME_SAMPLES,
    end: Math.min(waveform.length, (last + MIN_SPOKEN_FRAMES) * FRAME_SAMPLES),
  };
}

const levelsDb = (waveform: Float32Array): number[] =>
  Array.from({ length: Math.floor(waveform.length / FRAME_SAMPLES) }, (_, frame) => {
    const samples = waveform.subarray(frame * FRAME_SAMPLES, (frame + 1) * FRAME_SAMPLES);
    const power = samples.reduce((sum, sample) => sum + sample * sample, 0) / FRAME_SAMPLES;
    return 10 * Math.log10(power + 1e-10);
  });

/**
 * The spoken parts, each with the 50 ms around it, with pauses between them that are as long as
 * `pausesSec` says in turn, from the end of what is spoken to the start of the next, in faint noise.
 */
export function joinUtterances(
  utterances: readonly Utterance[],
  pausesSec: readonly number[],
): JoinedUtterances {
  const margin = msToSamples(50);
  const parts = utterances.map(({ waveform, text }) => {
    const spoken = spokenRange(waveform);
    const start = Math.max(0, spoken.start - margin);
    const cut = waveform.subarray(start, Math.min(waveform.length, spoken.end + margin));
    return { cut, from: spoken.start - start, length: spoken.end - spoken.start, text };
  });
  const spoken: { range: SampleRange; text: string }[] = [];
  let position = secToSamples(0.3);
  for (const [index, { from, length, text }] of parts.entries()) {
    const start = Math.max(position, from);
    spoken.push({ range: { start, end: start + length }, text });
    position = start + length + secToSamples(pausesSec[index % pausesSec.length]!);
  }
  const random = new RandomSource(utterances.length);
  const end = (spoken.at(-1)?.range.end ?? 0) + secToSamples(0.3);
  const waveform = Float32Array.from({ length: end }, () => NOISE_LEVEL * random.between(-1, 1));
  for (const [index, { cut, from }] of parts.entries()) {
    const start = spoken[index]!.range.start - from;
    for (let i = 0; i < cut.length && start + i < end; i++) waveform[start + i]! += cut[i]!;
  }
  return { waveform, spoken };
}
