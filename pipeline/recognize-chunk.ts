import { SttError } from '../core/errors.ts';
import type { Recognition, Segment, SpeechRecognizer } from './contracts.ts';
import type { TranscribeOptions } from './options.ts';
import {
  type Attempt,
  bestAttempt,
  compressionRatio,
  isSilence,
  needsFallback,
} from './quality.ts';
import { toSegments } from './segments.ts';
import type { WindowPieces } from './time-map.ts';

/** One chunk with its samples: those of its pieces, one after the other. */
export interface ChunkAudio {
  readonly pieces: WindowPieces;
  readonly waveform: Float32Array<ArrayBuffer>;
}

export interface ChunkResult {
  /** Empty when the recogniser heard no speech. */
  readonly segments: readonly Segment[];
  readonly isSilent: boolean;
  readonly language: string;
  readonly languageProbability: number;
  /** Decodings it took; above 1 the first ones failed the quality checks. */
  readonly attemptCount: number;
}

/** What decides how a chunk is recognised; `TranscribeOptions` with the language of this chunk. */
export type ChunkOptions = Omit<TranscribeOptions, 'maxChunkSec' | 'maxPauseSec' | 'vad'>;

/**
 * Recognises one chunk with OpenAI's temperature fallback: temperatures in order until a result
 * passes, else the best of all. A language detected at the first attempt holds for the others.
 */
export async function recognizeChunk(
  chunk: ChunkAudio,
  options: ChunkOptions,
  recognizer: SpeechRecognizer,
  signal: AbortSignal,
): Promise<ChunkResult> {
  const attempts = await attemptAll(chunk, options, recognizer, signal);
  const last = attempts.at(-1)!;
  const chosen = needsFallback(last, options) ? bestAttempt(attempts, options) : last;
  const isSilent = isSilence(chosen.recognition, options);
  const { language, languageProbability } = attempts[0].recognition;
  return {
    segments: isSilent ? [] : toSegments(chosen, chunk.pieces, recognizer),
    isSilent,
    language,
    languageProbability,
    attemptCount: attempts.length,
  };
}

/** All attempts that were needed; only the last can have passed. */
async function attemptAll(
  { waveform }: ChunkAudio,
  options: ChunkOptions,
  recognizer: SpeechRecognizer,
  signal: AbortSignal,
): Promise<[Attempt, ...Attempt[]]> {
  const attempts: Attempt[] = [];
  let { language } = options;
  for (const temperature of options.temperatures) {
    signal.throwIfAborted();
    const { task, prompt, wordTimes } = options;
    const recognition = await recognizer.recognize(
      { waveform, task, language, timestamps: true, temperature, prompt, attention: wordTimes },
      signal,
    );
    language = recognition.language;
    const attempt = toAttempt(recognition, temperature, recognizer);
    attempts.push(attempt);
    if (!needsFallback(attempt, options)) break;
  }
  const [first, ...others] = attempts;
  if (!first) throw new SttError('INPUT_INVALID', 'Expected at least one temperature, found none');
  return [first, ...others];
}

function toAttempt(
  recognition: Recognition,
  temperature: number,
  recognizer: SpeechRecognizer,
): Attempt {
  const tokenIds = recognition.tokens.flatMap((token) => (token.kind === 'text' ? token.id : []));
  const text = recognizer.textOf(tokenIds).trim();
  return { recognition, text, temperature, compressionRatio: compressionRatio(text) };
}
