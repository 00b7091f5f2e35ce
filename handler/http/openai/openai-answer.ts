import { languageNameOf } from '../../../core/languages.ts';
import { heardSec, type JobResult } from '../../result.ts';
import type { VerboseWireSegment, WireSegment } from '../../wire-segment.ts';
import type { OpenAiRequest } from './openai-request.ts';

export interface OpenAiAnswer {
  readonly contentType: string;
  readonly body: unknown;
}

const JSON_TYPE = 'application/json; charset=utf-8';
const PLAIN_TYPE = 'text/plain; charset=utf-8';

/** A result as OpenAI would have answered it. */
export function toOpenAiAnswer(result: JobResult, request: OpenAiRequest): OpenAiAnswer {
  switch (request.format) {
    case 'text':
      return { contentType: PLAIN_TYPE, body: `${result.transcript}\n` };
    case 'srt':
    case 'vtt':
      return { contentType: PLAIN_TYPE, body: result.formatted ?? '' };
    case 'verbose_json':
      return { contentType: JSON_TYPE, body: verboseOf(result, request) };
    case 'diarized_json':
      return { contentType: JSON_TYPE, body: diarizedOf(result) };
    case 'json':
      return { contentType: JSON_TYPE, body: { text: result.transcript, usage: usageOf(result) } };
  }
}

/** OpenAI bills by the second, rounded up. */
export const usageOf = (result: JobResult) => ({
  type: 'duration',
  seconds: Math.ceil(heardSec(result)),
});

/** Not OpenAI's: where each channel is transcribed by itself. */
const channelOf = ({ channel }: { readonly channel?: number | undefined }) =>
  channel === undefined ? {} : { channel };

export const diarizedSegment = (segment: WireSegment, index: number) => ({
  type: 'transcript.text.segment',
  id: `seg_${index}`,
  start: segment.start,
  end: segment.end,
  speaker: segment.speaker ?? 'UNKNOWN',
  ...channelOf(segment),
  text: segment.text,
});

const diarizedOf = (result: JobResult) => ({
  task: 'transcribe',
  duration: result.audio_duration,
  text: result.transcript,
  segments: result.segments.map(diarizedSegment),
  usage: usageOf(result),
});

const verboseOf = (result: JobResult, { task, wantsWords, wantsSegments }: OpenAiRequest) => ({
  task,
  language: task === 'translate' ? 'english' : languageNameOf(result.language),
  duration: result.audio_duration,
  text: result.transcript,
  ...(wantsSegments && { segments: result.segments.map(verboseSegment) }),
  ...(wantsWords && { words: result.segments.flatMap(wordsOf) }),
  usage: usageOf(result),
});

const wordsOf = ({ words = [] }: WireSegment) =>
  words.map(({ word, start, end, channel }) => ({ word, start, end, ...channelOf({ channel }) }));

/** Token ids mean nothing outside the model and are left out, not the field. */
const verboseSegment = (segment: WireSegment | VerboseWireSegment, index: number) => ({
  id: index,
  seek: 0,
  start: segment.start,
  end: segment.end,
  ...channelOf(segment),
  text: segment.text,
  tokens: [],
  ...('avg_logprob' in segment && {
    temperature: segment.temperature,
    avg_logprob: segment.avg_logprob,
    compression_ratio: segment.compression_ratio,
    no_speech_prob: segment.no_speech_prob,
  }),
});
