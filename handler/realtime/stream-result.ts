import { z } from 'zod';
import { samplesToSec, secToSamples } from '../../audio/time.ts';
import { ERROR_CODES, type ErrorCode, SttError } from '../../core/errors.ts';
import type { WindowResult } from '../../pipeline/realtime/session-state.ts';
import type { WindowVoice } from '../../pipeline/realtime/window-voice.ts';
import { rounded } from '../wire-segment.ts';
import type { StreamInput } from './stream-schema.ts';

const TIME_DIGITS = 4;

const StreamWord = z.object({
  word: z.string(),
  start: z.number(),
  end: z.number(),
  confidence: z.number(),
});

const MAX_DIMENSIONS = 4096;

/** The voice at the window's end. */
const StreamVoice = z.object({
  model: z.string(),
  embedding: z.array(z.number()).min(1).max(MAX_DIMENSIONS),
  count: z.number().positive(),
  same_speaker: z.object({ voice: z.number(), excerpt: z.number() }),
});

const StreamResultSchema = z.object({
  session_id: z.string(),
  epoch: z.number(),
  seq: z.number(),
  language: z.string(),
  language_probability: z.number(),
  words: z.array(StreamWord),
  voice: StreamVoice.optional(),
});

/** What a stream job answers: words with the space before them and times in the session's seconds. */
export interface StreamResult extends z.output<typeof StreamResultSchema> {
  readonly audio_duration: number;
  readonly processing_time: number;
  readonly model: string;
  readonly final: boolean;
}

/** The answer to a window; the same for the same window. */
export function toStreamResult(
  { session_id, epoch, seq, final }: StreamInput,
  { words, language, languageProbability, voice }: WindowResult,
  details: Pick<StreamResult, 'audio_duration' | 'processing_time' | 'model'>,
): StreamResult {
  return {
    session_id,
    epoch,
    seq,
    final,
    language,
    language_probability: rounded(languageProbability, TIME_DIGITS),
    words: words.map(({ text, range, confidence }) => ({
      word: text,
      start: rounded(samplesToSec(range.start), TIME_DIGITS),
      end: rounded(samplesToSec(range.end), TIME_DIGITS),
      confidence: rounded(confidence, TIME_DIGITS),
    })),
    ...(voice && { voice: toStreamVoice(voice) }),
    ...details,
  };
}

const toStreamVoice = ({ sameSpeaker, ...voice }: WindowVoice): z.output<typeof StreamVoice> => ({
  ...voice,
  embedding: [...voice.embedding],
  same_speaker: { ...sameSpeaker },
});

const fromStreamVoice = ({
  same_speaker: sameSpeaker,
  ...voice
}: z.output<typeof StreamVoice>): WindowVoice => ({ ...voice, sameSpeaker });

/** @throws {SttError} what the worker reported, or INTERNAL for an answer that is none. */
export function fromStreamResult(output: unknown): WindowResult {
  const parsed = StreamResultSchema.safeParse(output);
  if (!parsed.success) throw failureOf(output);
  const { words, language, language_probability, voice } = parsed.data;
  return {
    language,
    languageProbability: language_probability,
    ...(voice && { voice: fromStreamVoice(voice) }),
    words: words.map(({ word, start, end, confidence }) => ({
      text: word,
      range: { start: secToSamples(start), end: secToSamples(end) },
      confidence,
    })),
  };
}

const Failure = z.object({ error: z.object({ code: z.string(), message: z.string() }) });

const isErrorCode = (code: string): code is ErrorCode => code in ERROR_CODES;

function failureOf(output: unknown): SttError {
  const failure = Failure.safeParse(output);
  if (!failure.success) return new SttError('INTERNAL', 'A worker gave no words and no error');
  const { code, message } = failure.data.error;
  return new SttError(isErrorCode(code) ? code : 'INTERNAL', message);
}
