import type { LiveWord } from '../pipeline/realtime/agreement.ts';
import type { CaptionPolicy } from './caption-policies.ts';

const SAMPLES_PER_MS = 16;

export interface Replay {
  /** In the order in which they became final. */
  readonly words: readonly LiveWord[];
  /** From the end of each word until it was final. */
  readonly latenciesMs: readonly number[];
  readonly windows: number;
  /** What the windows really took. */
  readonly engineMs: number;
}

export interface ReplayOptions {
  readonly frameSamples: number;
  /** What a window takes by the clock of the replay. */
  readonly serviceMs: number;
}

/** Plays a recording to a policy against a clock of its own, so that runs can be compared. */
export async function replayCaptions(
  policy: CaptionPolicy,
  probabilities: readonly number[],
  { frameSamples, serviceMs }: ReplayOptions,
): Promise<Replay> {
  const frameMs = frameSamples / SAMPLES_PER_MS;
  const words: LiveWord[] = [];
  const latenciesMs: number[] = [];
  let windows = 0;
  let engineMs = 0;
  let answer: { readonly atMs: number; readonly words: () => readonly LiveWord[] } | null = null;
  for (let frame = 0, nowMs = 0; ; frame++, nowMs += frameMs) {
    const probability = probabilities[frame];
    if (probability !== undefined) policy.hear(probability, frameSamples);
    else if (frame === probabilities.length) policy.end();
    if (answer !== null && answer.atMs <= nowMs) {
      for (const word of answer.words()) {
        words.push(word);
        latenciesMs.push(answer.atMs - word.range.end / SAMPLES_PER_MS);
      }
      answer = null;
    }
    if (answer !== null) continue;
    const startedAt = performance.now();
    const heard = await policy.recognize();
    if (heard === null && frame > probabilities.length) break;
    if (heard === null) continue;
    windows += 1;
    engineMs += performance.now() - startedAt;
    answer = { atMs: nowMs + serviceMs, words: heard };
  }
  return { words, latenciesMs, windows, engineMs };
}
