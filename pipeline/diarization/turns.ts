import type { Breather } from '../breather.ts';
import { BlockQueue } from './block-queue.ts';
import { type FrameRange, hysteresis } from './frame-runs.ts';
import { type Activity, FULL_ACTIVITY } from './local-speakers.ts';
import {
  PersonListener,
  type PersonTurns,
  type TurnRules,
  thresholdsOf,
} from './person-listener.ts';

interface TurnOptions {
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
  const listeners: PersonListener[] = [];
  for (const { members } of people) {
    if (breather.isDue) await breather.rest();
    listeners.push(new PersonListener(members, rules));
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
