import type { SampleRange } from '../audio/time.ts';
import { attemptWindow, type ChunkOptions, type WindowResult } from './attempt-window.ts';
import type { SpeechRecognizer } from './contracts.ts';
import { sumCounts } from './hallucinations.ts';
import type { ChunkAudio, UnheardPart } from './heard-part.ts';
import { type ChunkFailure, tryTwice } from './retry-chunk.ts';
import { spanOf } from './time-map.ts';

/** Windows that a chunk is read in at most; each begins where the one before ended. */
const MAX_WINDOWS = 6;

export interface ChunkResult extends Omit<WindowResult, 'unheard' | 'isUncertain'> {
  /** Whether all of the text passed the quality checks. */
  readonly isAccepted: boolean;
  /** Windows that it took. */
  readonly windowCount: number;
  /** A part at the end that could not be recognised. */
  readonly missing: SampleRange | null;
}

/**
 * The text of a chunk. Where a window's text ends before the chunk's speech does, the rest is read as
 * a window of its own, in the same language. Where the text says that nothing follows, that is tried
 * once, and what is uncertain is no text. A window that fails is recognised once more.
 * @throws see `tryTwice`.
 */
export async function recognizeChunk(
  chunk: ChunkAudio,
  options: ChunkOptions,
  recognizer: SpeechRecognizer,
  signal: AbortSignal,
): Promise<ChunkResult | ChunkFailure> {
  const attempt = (part: ChunkAudio, partOptions: ChunkOptions) =>
    tryTwice(() => attemptWindow(part, partOptions, recognizer, signal), signal);
  const first = await attempt(chunk, options);
  if ('error' in first) return first;
  const { unheard: rest, isUncertain, ...whole } = first;
  let [unheard, result]: [UnheardPart | null, ChunkResult] = [
    rest,
    { ...whole, isAccepted: !isUncertain, windowCount: 1, missing: null },
  ];
  while (unheard !== null && result.windowCount < MAX_WINDOWS) {
    const { isAnnounced } = unheard;
    const next = await attempt(unheard, goingOn(options, result, isAnnounced));
    if ('error' in next) return { ...result, missing: spanOf(unheard.pieces) };
    const isText = isAnnounced || !next.isUncertain;
    result = isText ? joined(result, next) : { ...result, ...effort(result, next) };
    unheard = isText ? next.unheard : null;
  }
  return result;
}

const goingOn = (
  options: ChunkOptions,
  { language, segments }: ChunkResult,
  isAnnounced: boolean,
): ChunkOptions => ({
  ...options,
  language,
  attempts: isAnnounced && options.attempts !== 'first' ? undefined : 'first',
  ...(options.conditionOnPreviousText && {
    previousText: [options.previousText, ...segments.map(({ text }) => text)].join(' '),
  }),
});

/** The language is that of the first window; a text is as certain as its least certain part. */
const joined = (before: ChunkResult, next: WindowResult): ChunkResult => ({
  ...before,
  ...effort(before, next),
  segments: [...before.segments, ...next.segments],
  isAccepted: before.isAccepted && !next.isUncertain,
  isUnfinished: before.isUnfinished || next.isUnfinished,
  temperature: Math.max(before.temperature, next.temperature),
  guarded: sumCounts(before.guarded, next.guarded),
});

const effort = (before: ChunkResult, next: WindowResult) => ({
  attemptCount: before.attemptCount + next.attemptCount,
  windowCount: before.windowCount + 1,
});
