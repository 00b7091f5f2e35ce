import { rounded } from '../../wire-segment.ts';
import type { LiveWireEvent } from '../live-events.ts';
import type { ListenSettings } from './deepgram-query.ts';

type Final = Extract<LiveWireEvent, { type: 'transcript_final' }>;
type Interim = Extract<LiveWireEvent, { type: 'transcript_partial' }>;

/** The only channel there is, of one. */
export const CHANNEL = [0, 1] as const;

/** Deepgram's `Results`: a text that may change, or one that will not. */
export type Results = ReturnType<typeof toResults>;

/** @param settledSec where the results before ended, for one without words. */
export function toResults(
  event: Final | Interim,
  settings: Pick<ListenSettings, 'hasEndpointing' | 'requestId' | 'model'>,
  settledSec: number,
) {
  const { words, text } = event;
  const isFinal = event.type === 'transcript_final';
  const start = words[0]?.start ?? settledSec;
  const end = words.at(-1)?.end ?? start;
  const language = isFinal ? event.language : null;
  const sum = words.reduce((total, { confidence }) => total + confidence, 0);
  const alternative = {
    transcript: text.trim(),
    confidence: words.length > 0 ? rounded(sum / words.length, 3) : 0,
    ...(language !== null && { languages: [language] }),
    words: words.map(({ word, ...times }) => ({
      word: bare(word),
      ...times,
      punctuated_word: word,
      ...(language !== null && { language }),
    })),
  };
  return {
    type: 'Results' as const,
    channel_index: CHANNEL,
    start,
    duration: rounded(end - start, 3),
    is_final: isFinal,
    speech_final: isFinal && event.speech_final && settings.hasEndpointing,
    from_finalize: false,
    channel: { alternatives: [alternative] },
    metadata: {
      request_id: settings.requestId,
      model_info: modelInfo(settings.model),
      model_uuid: settings.model,
    },
  };
}

export const modelInfo = (name: string) => ({ name, version: '', arch: 'whisper' });

const bare = (word: string): string =>
  word.toLowerCase().replace(/^[\p{P}\p{S}]+(?=.)|(?<=.)[\p{P}\p{S}]+$/gu, '');
