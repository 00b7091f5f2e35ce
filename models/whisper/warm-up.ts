import { SttError } from '../../core/errors.ts';
import type { TensorMap } from '../engine/protocol.ts';
import type { WhisperCheckpoint } from './checkpoint.ts';
import type { ForcedWindow } from './forced-feeds.ts';
import { maxNewTokens } from './row-prompt.ts';

/** A GPU tunes its kernels per shape, so only these batch sizes, and the largest, ever reach it. */
const CUDA_BATCH_SIZES = [1, 2, 4, 8, 16, 32];

/** Sizes that batches are filled up to, ascending, the largest included. */
export const batchSizesUpTo = (largest: number): number[] => [
  ...CUDA_BATCH_SIZES.filter((size) => size < largest),
  largest,
];

/** Tokens of half of the windows, a quarter, and the rest: each of the decode's stages has work. */
type Lengths = readonly [half: number, quarter: number, rest: number];
const EVERYDAY: Lengths = [8, 16, 32];

/**
 * What meets all that jobs will: stages with ever fewer rows, prompts of different lengths, greedy and
 * sampled rows. Silent windows would all end together, after one token.
 */
export const everydayWindows = (count: number): ForcedWindow[] =>
  windowsOf(count, EVERYDAY).map((window, row) => ({
    ...window,
    previousTokens: row % 2 === 0 ? 0 : 40,
    temperature: row % 4 === 3 ? 0.4 : 0,
  }));

/**
 * What takes the most memory: a full batch that goes on for three quarters of all tokens, so that its
 * keys and values are long, and then leaves half of its windows to the next stage, which copies theirs.
 */
export function longestWindows(
  checkpoint: Pick<WhisperCheckpoint, 'maxTokens'>,
  count: number,
): ForcedWindow[] {
  const most = maxNewTokens(checkpoint);
  return windowsOf(count, [Math.floor(0.75 * most), Math.floor(0.875 * most), most]);
}

/**
 * Looks at the log-probabilities of a run: one weight that is not a number makes them all so.
 * @throws {SttError} MODEL_INVALID
 */
export function assertNumbers(outputs: TensorMap): void {
  const names = Object.keys(outputs).filter((name) => PROBABILITIES.test(name));
  const isNumber = (value: number | bigint): boolean => !Number.isNaN(Number(value));
  for (const name of names) {
    if (Array.from(outputs[name]!.data as ArrayLike<number>).every(isNumber)) continue;
    throw new SttError(
      'MODEL_INVALID',
      `The model's ${name} is not a number: its weights are damaged`,
    );
  }
}

/** See `decodedRows`. */
const PROBABILITIES = /log_prob|no_speech_prob|language_probs/;

const windowsOf = (count: number, [half, quarter, rest]: Lengths): ForcedWindow[] =>
  Array.from({ length: count }, (_, row) => {
    const share = (row + 1) / count;
    if (count > 1 && share <= 0.5) return { tokens: half };
    return { tokens: count > 2 && share <= 0.75 ? quarter : rest };
  });
