import type { Recognition, RecognizedToken, TokenAttention } from '../contracts.ts';
import { tokenStartFrames } from './dynamic-time-warping.ts';
import { mergePunctuation } from './merge-punctuation.ts';
import { splitWords } from './split-words.ts';
import type { TimedWord } from './timed-word.ts';
import {
  trimRunEdges,
  trimSentenceEnds,
  type WordDurations,
  wordDurations,
} from './word-durations.ts';

type TextToken = Extract<RecognizedToken, { kind: 'text' }>;

/** Text tokens between two timestamps; samples from the window's start. */
interface TextRun {
  readonly tokens: readonly TextToken[];
  /** Undefined where the recogniser gave no timestamp. */
  readonly start: number | undefined;
  readonly end: number | undefined;
}

/**
 * The words of one window with times from its cross-attention, one list for each run of text tokens
 * between timestamps, in order. The path of dynamic time warping says when each token starts; a word
 * lasts until the next one starts; pauses are cut off at the edges of sentences and runs. Times are
 * not yet bounded: `placeWords` does that.
 *
 * Follows openai-whisper's `add_word_timestamps`, but marks inside a word do not split it.
 * @param textOf text of token ids; an incomplete character shows as U+FFFD.
 */
export function attentionWords(
  recognition: Pick<Recognition, 'tokens' | 'language'>,
  attention: TokenAttention,
  textOf: (tokenIds: readonly number[]) => string,
): TimedWord[][] {
  const runs = textRuns(recognition.tokens);
  const starts = tokenStarts(attention);
  let done = 0;
  const timed = runs.map(({ tokens }) => {
    const words = timedWords(tokens, starts.subarray(done), textOf, recognition.language);
    done += tokens.length;
    return words;
  });
  const durations = wordDurations(timed.flat());
  return trimRuns(timed, runs, durations);
}

function textRuns(tokens: readonly RecognizedToken[]): TextRun[] {
  const runs: TextRun[] = [];
  let run: TextToken[] = [];
  let start: number | undefined;
  const closeAt = (end: number | undefined): void => {
    if (run.length > 0) runs.push({ tokens: run, start, end });
    start = end;
    run = [];
  };
  for (const token of tokens) {
    if (token.kind === 'text') run.push(token);
    else closeAt(token.offsetSamples);
  }
  closeAt(undefined);
  return runs;
}

/** Start of every text token and, last, of the end of text; samples. */
function tokenStarts({ weights, frames, samplesPerFrame }: TokenAttention): Int32Array {
  const tokens = frames === 0 ? 0 : weights.length / frames;
  return tokenStartFrames(weights, tokens, frames).map((frame) => frame * samplesPerFrame);
}

function timedWords(
  tokens: readonly TextToken[],
  starts: Int32Array,
  textOf: (tokenIds: readonly number[]) => string,
  language: string,
): TimedWord[] {
  let first = 0;
  return splitWords(
    tokens.map(({ id }) => id),
    textOf,
    language,
  ).map(({ text, tokenCount }) => {
    const own = tokens.slice(first, first + tokenCount);
    const start = starts[first] ?? 0;
    first += tokenCount;
    const confidence = own.reduce((sum, { logProb }) => sum + Math.exp(logProb), 0) / tokenCount;
    return { text, start, end: starts[first] ?? start, confidence: Math.min(1, confidence) };
  });
}

function trimRuns(
  timed: readonly (readonly TimedWord[])[],
  runs: readonly TextRun[],
  durations: WordDurations,
): TimedWord[][] {
  const trimmed = trimSentenceEnds(timed.flat(), durations);
  let done = 0;
  let lastSpeech = 0;
  return runs.map(({ start, end }, run) => {
    const count = timed[run]!.length;
    const words = mergePunctuation(trimmed.slice(done, done + count));
    done += count;
    const edged = trimRunEdges(words, durations, { start, end, lastSpeech });
    lastSpeech = edged.at(-1)?.end ?? lastSpeech;
    return edged;
  });
}
