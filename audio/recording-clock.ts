import type { LostFrames } from './lost-frames.ts';
import { msToSamples, type SampleRange, secToSamples } from './time.ts';
import type { PcmBlock } from './timed-pcm.ts';

/**
 * A gap that is shorter stays open until others add up to it: timestamps of live recorders jitter,
 * and silence inside a word does more harm than a time that is off by less than this.
 */
const MIN_GAP_SAMPLES = msToSamples(40);
/** A timestamp that lies further back begins a timeline anew, as where two recordings are joined. */
const RESTART_SAMPLES = secToSamples(1);

export interface ClockOptions {
  /** What the container's clock shows at the start of the presentation; 0 by default. */
  readonly startMs?: number;
  readonly maxGapSamples: number;
  /** In order, where the container's clock does not know of them. */
  readonly lostFrames?: readonly LostFrames[];
}

/** Samples that belong together, and where the first one lies in the recording. */
export interface PlacedPcm {
  readonly start: number;
  readonly bytes: Buffer;
}

/**
 * Turns the timestamps of decoded blocks into places in the recording, in 16 kHz samples. What is
 * missing becomes a gap, and nothing that was decoded is dropped: a block whose time has passed
 * already follows the one before it, and so does all behind a jump of more than `maxGapSamples`.
 */
export class RecordingClock {
  readonly #maxGapSamples: number;
  readonly #gaps: SampleRange[] = [];
  readonly #lostFrames: LostFrames[];
  #end = 0;
  /** From the container's times to ours; changes where the container's timeline jumps. */
  #shift: number;

  constructor({ startMs = 0, maxGapSamples, lostFrames = [] }: ClockOptions) {
    this.#shift = -msToSamples(startMs);
    this.#maxGapSamples = maxGapSamples;
    this.#lostFrames = [...lostFrames];
  }

  /** Behind the last sample. */
  get end(): number {
    return this.#end;
  }

  /** Where something was missing between two blocks, in order. */
  get gaps(): readonly SampleRange[] {
    return this.#gaps;
  }

  /** The blocks without gaps between them, joined. */
  place(blocks: readonly PcmBlock[]): PlacedPcm[] {
    const runs: { start: number; parts: Buffer[] }[] = [];
    for (const { timestampMs, bytes, frameCount } of blocks) {
      const gap = this.#gapBefore(msToSamples(timestampMs));
      if (gap > 0 && this.#end > 0) this.#gaps.push({ start: this.#end, end: this.#end + gap });
      const start = this.#end + gap;
      this.#end = start + frameCount;
      const run = runs.at(-1);
      if (gap > 0 || run === undefined) runs.push({ start, parts: [bytes] });
      else run.parts.push(bytes);
    }
    return runs.map(({ start, parts }) => ({ start, bytes: Buffer.concat(parts) }));
  }

  #gapBefore(time: number): number {
    for (let [lost] = this.#lostFrames; lost && time >= msToSamples(lost.timestampMs); ) {
      this.#shift += msToSamples(lost.missingMs);
      this.#lostFrames.shift();
      [lost] = this.#lostFrames;
    }
    const ahead = time + this.#shift - this.#end;
    if (ahead > this.#maxGapSamples || ahead < -RESTART_SAMPLES) this.#shift = this.#end - time;
    return ahead >= MIN_GAP_SAMPLES && ahead <= this.#maxGapSamples ? ahead : 0;
  }
}
