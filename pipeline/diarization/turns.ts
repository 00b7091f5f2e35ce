import type { Breather } from '../breather.ts';
import {
  type FrameRange,
  hysteresis,
  runsWhere,
  smoothRuns,
  type Thresholds,
  unionOfRuns,
} from './frame-runs.ts';
import { type Activity, FULL_ACTIVITY } from './local-speakers.ts';

interface TurnRules {
  readonly onsetThreshold: number;
  readonly offsetThreshold: number;
  readonly minTurnFrames: number;
  readonly minPauseFrames: number;
}

export interface PersonTurns {
  readonly turns: readonly FrameRange[];
  /** Without overlap with anyone's. */
  readonly exclusive: readonly FrameRange[];
}

export interface TurnOptions {
  readonly windows: readonly FrameRange[];
  readonly rules: TurnRules;
}

interface Heard {
  readonly members: readonly Activity[];
}

/** No person in a frame. */
const NOBODY = 255;
export const MAX_PEOPLE = NOBODY;
/** Nine minutes: memory and the work of one step do not grow with the recording. */
const BLOCK_FRAMES = 32_768;

/**
 * When each person speaks, in frames of the recording. A person's probability in a frame is its mean
 * over the windows that hold the frame; hysteresis makes turns of it, so that as many people speak
 * at once as are likely to. Where together they are likely to speak but none is alone, because the
 * windows disagree about who, the likeliest is taken: speech is not lost to doubt about its speaker.
 */
export async function findTurns(
  people: readonly Heard[],
  frames: number,
  { windows, rules }: TurnOptions,
  breather: Breather,
): Promise<PersonTurns[]> {
  const listeners: Listener[] = [];
  for (const { members } of people) {
    if (breather.isDue) await breather.rest();
    listeners.push(new Listener(members, rules));
  }
  const coverage = new WindowQueue(windows);
  let isSpeech: 0 | 1 = 0;
  for (let start = 0; start < frames; start += BLOCK_FRAMES) {
    const block = { start, end: Math.min(frames, start + BLOCK_FRAMES) };
    const covered = coverage.coverageOf(block);
    const together = new Uint16Array(covered.length);
    const likeliest = new Likeliest(covered.length);
    for (const [person, listener] of listeners.entries()) {
      if (breather.isDue) await breather.rest();
      const { activity, mask } = listener.listen(block, covered);
      for (let frame = 0; frame < together.length; frame++) together[frame]! += activity[frame]!;
      likeliest.offer(person, activity, mask);
    }
    const speech = hysteresis(together, thresholdsOf(rules), isSpeech);
    isSpeech = speech.at(-1) === 1 ? 1 : 0;
    for (const [person, listener] of listeners.entries()) {
      if (breather.isDue) await breather.rest();
      listener.addFirst(block, (frame) => speech[frame] === 1 && likeliest.at(frame) === person);
    }
  }
  return listeners.map((listener) => listener.turns());
}

const thresholdsOf = ({ onsetThreshold, offsetThreshold }: TurnRules): Thresholds => ({
  onset: onsetThreshold * FULL_ACTIVITY,
  offset: offsetThreshold * FULL_ACTIVITY,
});

/** What comes in order and reaches into one block after the other. */
class BlockQueue<Item> {
  readonly #items: readonly { readonly item: Item; readonly range: FrameRange }[];
  #first = 0;

  constructor(items: readonly Item[], rangeOf: (item: Item) => FrameRange) {
    const placed = items.map((item) => ({ item, range: rangeOf(item) }));
    this.#items = placed.sort((a, b) => a.range.start - b.range.start);
  }

  /** Those that reach into the block; blocks must come in order. */
  *in(block: FrameRange): Generator<{ readonly item: Item; readonly range: FrameRange }> {
    for (let index = this.#first; index < this.#items.length; index++) {
      const { item, range: whole } = this.#items[index]!;
      const { start, end } = whole;
      if (start >= block.end) return;
      if (end <= block.start && index === this.#first) this.#first += 1;
      const range = { start: Math.max(start, block.start), end: Math.min(end, block.end) };
      if (range.end > range.start) yield { item, range };
    }
  }
}

/** How many windows hold each frame. */
class WindowQueue {
  readonly #windows: BlockQueue<FrameRange>;

  constructor(windows: readonly FrameRange[]) {
    this.#windows = new BlockQueue(windows, (window) => window);
  }

  coverageOf(block: FrameRange): Uint16Array {
    const coverage = new Uint16Array(block.end - block.start);
    for (const { range } of this.#windows.in(block)) {
      for (let frame = range.start; frame < range.end; frame++) coverage[frame - block.start]! += 1;
    }
    return coverage;
  }
}

/** One person's turns, found block by block. */
class Listener {
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
  listen(block: FrameRange, coverage: Uint16Array): { activity: Uint8Array; mask: Uint8Array } {
    const activity = this.#meanActivity(block, coverage);
    const mask = hysteresis(activity, thresholdsOf(this.#rules), this.#isActive);
    this.#isActive = mask.at(-1) === 1 ? 1 : 0;
    this.#own.push(...runsIn(block, (frame) => mask[frame] === 1));
    return { activity, mask };
  }

  /** Where this is the one who speaks, should only one be named. */
  addFirst(block: FrameRange, isFirst: (frame: number) => boolean): void {
    this.#first.push(...runsIn(block, isFirst));
  }

  turns(): PersonTurns {
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

/** In each frame the person with the highest probability, before all others one who has a turn. */
class Likeliest {
  readonly #people: Uint8Array;
  readonly #scores: Uint16Array;

  constructor(frames: number) {
    this.#people = new Uint8Array(frames).fill(NOBODY);
    this.#scores = new Uint16Array(frames);
  }

  offer(person: number, activity: Uint8Array, mask: Uint8Array): void {
    for (let frame = 0; frame < activity.length; frame++) {
      const score = activity[frame]! + mask[frame]! * (FULL_ACTIVITY + 1);
      if (score <= this.#scores[frame]!) continue;
      this.#scores[frame] = score;
      this.#people[frame] = person;
    }
  }

  at(frame: number): number {
    return this.#people[frame]!;
  }
}

const runsIn = (block: FrameRange, isActive: (frame: number) => boolean): FrameRange[] =>
  runsWhere(block.end - block.start, isActive).map(({ start, end }) => ({
    start: start + block.start,
    end: end + block.start,
  }));
