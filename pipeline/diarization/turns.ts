import type { Breather } from '../breather.ts';
import { BlockQueue } from './block-queue.ts';
import { type FrameRange, hysteresis } from './frame-runs.ts';
import { type Activity, FULL_ACTIVITY } from './local-speakers.ts';
import { SpeakerActivity, type SpeakerRuns, type TurnRules } from './speaker-activity.ts';

interface TurnOptions {
  readonly windows: readonly FrameRange[];
  readonly rules: TurnRules;
}

interface Heard {
  readonly members: readonly Activity[];
}

/** No speaker in a frame. */
const NOBODY = 255;
export const MAX_SPEAKERS = NOBODY;
/** Nine minutes: memory and the work of one step do not grow with the recording. */
const BLOCK_FRAMES = 32_768;

/**
 * When each speaker speaks, in frames of the recording. A speaker's probability in a frame is its mean
 * over the windows that hold the frame; hysteresis makes turns of it, so that as many speakers speak
 * at once as are likely to. Where together they are likely to speak but none is alone, because the
 * windows disagree about who, the likeliest is taken: speech is not lost to doubt about its speaker.
 */
export async function findTurns(
  speakers: readonly Heard[],
  frames: number,
  { windows, rules }: TurnOptions,
  breather: Breather,
): Promise<SpeakerRuns[]> {
  const activities: SpeakerActivity[] = [];
  for (const { members } of speakers) {
    if (breather.isDue) await breather.rest();
    activities.push(new SpeakerActivity(members, rules));
  }
  const coverage = new WindowQueue(windows);
  let isSpeech: 0 | 1 = 0;
  for (let start = 0; start < frames; start += BLOCK_FRAMES) {
    const block = { start, end: Math.min(frames, start + BLOCK_FRAMES) };
    const covered = coverage.coverageOf(block);
    const together = new Uint16Array(covered.length);
    const likeliest = new Likeliest(covered.length);
    for (const [speaker, spoken] of activities.entries()) {
      if (breather.isDue) await breather.rest();
      const { activity, mask } = spoken.read(block, covered);
      for (let frame = 0; frame < together.length; frame++) together[frame]! += activity[frame]!;
      likeliest.offer(speaker, activity, mask);
    }
    const speech = hysteresis(together, rules.thresholds, isSpeech);
    isSpeech = speech.at(-1) === 1 ? 1 : 0;
    for (const [speaker, spoken] of activities.entries()) {
      if (breather.isDue) await breather.rest();
      spoken.addFirst(block, (frame) => speech[frame] === 1 && likeliest.at(frame) === speaker);
    }
  }
  return activities.map((spoken) => spoken.turns());
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

/** In each frame the speaker with the highest probability, before all others one who has a turn. */
class Likeliest {
  readonly #speakers: Uint8Array;
  readonly #scores: Uint16Array;

  constructor(frames: number) {
    this.#speakers = new Uint8Array(frames).fill(NOBODY);
    this.#scores = new Uint16Array(frames);
  }

  offer(speaker: number, activity: Uint8Array, mask: Uint8Array): void {
    for (let frame = 0; frame < activity.length; frame++) {
      const score = activity[frame]! + mask[frame]! * (FULL_ACTIVITY + 1);
      if (score <= this.#scores[frame]!) continue;
      this.#scores[frame] = score;
      this.#speakers[frame] = speaker;
    }
  }

  at(frame: number): number {
    return this.#speakers[frame]!;
  }
}
