import { BlockQueue } from './block-queue.ts';
import {
  type FrameRange,
  hysteresis,
  runsWhere,
  smoothRuns,
  type Thresholds,
  unionOfRuns,
} from './frame-runs.ts';
import { type Activity, FULL_ACTIVITY } from './local-speakers.ts';

export interface TurnRules {
  /** Of the activity, 0–255. */
  readonly thresholds: Thresholds;
  readonly minTurnFrames: number;
  readonly minPauseFrames: number;
}

export interface SpeakerRuns {
  readonly turns: readonly FrameRange[];
  /** Without overlap with anyone's. */
  readonly exclusive: readonly FrameRange[];
}

/** One speaker's turns, found block by block. */
export class SpeakerActivity {
  readonly #members: BlockQueue<Activity>;
  readonly #rules: TurnRules;
  readonly #own: FrameRange[] = [];
  readonly #first: FrameRange[] = [];
  #isActive: 0 | 1 = 0;

  constructor(members: readonly Activity[], rules: TurnRules) {
    this.#members = new BlockQueue(members, ({ startFrame, activity }) => ({
      start: startFrame,
      end: startFrame + activity.length,
    }));
    this.#rules = rules;
  }

  /** Mean probability and whether it makes a turn, frame by frame. */
  read(block: FrameRange, coverage: Uint16Array): { activity: Uint8Array; mask: Uint8Array } {
    const activity = this.#meanActivity(block, coverage);
    const mask = hysteresis(activity, this.#rules.thresholds, this.#isActive);
    this.#isActive = mask.at(-1) === 1 ? 1 : 0;
    this.#own.push(...runsIn(block, (frame) => mask[frame] === 1));
    return { activity, mask };
  }

  /** Where this is the one who speaks, should only one be named. */
  addFirst(block: FrameRange, isFirst: (frame: number) => boolean): void {
    this.#first.push(...runsIn(block, isFirst));
  }

  turns(): SpeakerRuns {
    const { minPauseFrames, minTurnFrames } = this.#rules;
    const all = unionOfRuns([...this.#own, ...this.#first]);
    return {
      turns: smoothRuns(all, minPauseFrames, minTurnFrames),
      exclusive: unionOfRuns(this.#first),
    };
  }

  #meanActivity(block: FrameRange, coverage: Uint16Array): Uint8Array {
    const sum = new Uint16Array(coverage.length);
    for (const { item, range } of this.#members.in(block)) {
      const { startFrame, activity } = item;
      for (let frame = range.start; frame < range.end; frame++) {
        sum[frame - block.start]! += activity[frame - startFrame]!;
      }
    }
    const mean = new Uint8Array(sum.length);
    for (let frame = 0; frame < mean.length; frame++) {
      if (sum[frame] === 0) continue;
      const value = Math.round(sum[frame]! / Math.max(1, coverage[frame]!));
      mean[frame] = Math.min(FULL_ACTIVITY, value);
    }
    return mean;
  }
}

const runsIn = (block: FrameRange, isActive: (frame: number) => boolean): FrameRange[] =>
  runsWhere(block.end - block.start, isActive).map(({ start, end }) => ({
    start: start + block.start,
    end: end + block.start,
  }));
