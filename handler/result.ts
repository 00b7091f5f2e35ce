import type { SampleRange } from '../audio/time.ts';
import type { Alignment, Segment } from '../pipeline/contracts.ts';
import type { RecordingTranscript } from '../pipeline/process-recording.ts';
import { meanConfidence } from '../pipeline/quality.ts';
import { formatSegments, isTextFormat } from './formats/format-segments.ts';
import { joinTexts } from './languages.ts';
import type { JobInput, OutputFormat } from './schema.ts';
import { toDocumentOptions } from './subtitle-options.ts';
import {
  mapValues,
  msToWireSec,
  rounded,
  toWireSec,
  toWireSegment,
  toWireTurn,
  toWireWarning,
  type VerboseWireSegment,
  type WireSegment,
  type WireWarning,
  withDiagnostics,
} from './wire-segment.ts';

/** Far below the noise of a voice. */
const EMBEDDING_DECIMALS = 6;

interface WireSpeaker {
  readonly total_duration: number;
  readonly segments_count: number;
  readonly text_parts: readonly string[];
  /** Unit vector, where it was asked for, and what made it: `known_speakers` of a later job. */
  readonly embedding?: readonly number[];
  readonly embedding_model?: string;
  /** Of a known speaker: cosine of this voice and the known one. */
  readonly similarity?: number;
}

/** The answer to a job. The first block is a contract with existing clients, field for field. */
export interface JobResult {
  readonly meeting_id: string | null;
  readonly tenant_id: string | null;
  readonly transcript: string;
  readonly segments: readonly (WireSegment | VerboseWireSegment)[];
  readonly speakers: Readonly<Record<string, WireSpeaker>>;
  readonly confidence: number;
  readonly processing_time: number;
  readonly language: string;
  readonly total_segments: number;
  readonly total_speakers: number;
  readonly has_diarization: boolean;

  readonly user_id: string | null;
  readonly audio_duration: number;
  readonly language_probability: number;
  readonly model: string;
  /** How words were timed; null without words. */
  readonly alignment: Alignment | null;
  readonly warnings: readonly WireWarning[];
  /** Windows times the beams or samples of each, those decoded again included: what the text has cost. */
  readonly decoded_rows: number;
  /** Seconds by stage. */
  readonly timings: Readonly<Record<string, number>>;
  /** Only when the format is neither json nor verbose: the transcript written in it. */
  readonly output_format?: OutputFormat;
  readonly formatted?: string;
}

export interface Elapsed {
  readonly totalMs: number;
  readonly stagesMs: Readonly<Record<string, number>>;
}

/** The result of a job in seconds and confidences; the same fields whatever the output format. */
export function toJobResult(
  transcript: RecordingTranscript,
  input: JobInput,
  elapsed: Elapsed,
): JobResult {
  const segments = transcript.segments.map(toWireSegment);
  const speakers = speakersOf(transcript, input.return_speaker_embeddings);
  const textLanguage = input.task === 'translate' ? 'en' : transcript.language;
  const format = input.output_format;
  return {
    meeting_id: input.meeting_id,
    tenant_id: input.tenant_id,
    transcript: joinTexts(textsOf(segments), textLanguage),
    segments: isVerbose(format) ? segments.map(withDiagnostics(transcript.segments)) : segments,
    speakers,
    confidence: rounded(meanConfidence(transcript.segments)),
    processing_time: msToWireSec(elapsed.totalMs),
    language: transcript.language,
    total_segments: segments.length,
    total_speakers: Object.keys(speakers).length,
    has_diarization: Object.keys(speakers).length > 0,
    user_id: input.user_id,
    audio_duration: toWireSec(transcript.audioSamples),
    language_probability: rounded(transcript.languageProbability),
    model: transcript.modelName,
    alignment: transcript.alignment,
    warnings: transcript.warnings.map(toWireWarning),
    decoded_rows: transcript.decodedRows,
    timings: mapValues(elapsed.stagesMs, msToWireSec),
    ...(isTextFormat(format) && {
      output_format: format,
      formatted: formatSegments(segments, format, {
        ...toDocumentOptions(input.subtitle, input.meeting_id),
        turns: transcript.turns.map(toWireTurn),
      }),
    }),
  };
}

/** OpenAI calls it verbose_json. */
const isVerbose = (format: OutputFormat): boolean =>
  format === 'verbose' || format === 'verbose_json';

/** Everyone with words; who was heard without any has nothing to show. */
function speakersOf(
  { segments, speakers, embeddingModel }: RecordingTranscript,
  withEmbeddings: boolean,
): Record<string, WireSpeaker> {
  const bySpeaker = new Map<string, Segment[]>();
  for (const segment of segments) {
    if (segment.speaker === undefined) continue;
    const spoken = bySpeaker.get(segment.speaker);
    if (spoken) spoken.push(segment);
    else bySpeaker.set(segment.speaker, [segment]);
  }
  return Object.fromEntries(
    [...bySpeaker].map(([speaker, spoken]) => {
      const { embedding, similarity } = speakers.find(({ label }) => label === speaker) ?? {};
      const voice =
        withEmbeddings && embedding && embeddingModel && toWireVoice(embedding, embeddingModel);
      const known = similarity !== undefined && { similarity: rounded(similarity) };
      return [speaker, { ...summaryOf(spoken), ...known, ...voice }];
    }),
  );
}

const toWireVoice = (embedding: Float32Array, model: string) => ({
  embedding: Array.from(embedding, (value) => rounded(value, EMBEDDING_DECIMALS)),
  embedding_model: model,
});

const summaryOf = (segments: readonly Segment[]): WireSpeaker => ({
  total_duration: toWireSec(segments.reduce((sum, { range }) => sum + samplesIn(range), 0)),
  segments_count: segments.length,
  text_parts: textsOf(segments).map((text) => text.trim()),
});

const samplesIn = ({ start, end }: SampleRange): number => end - start;

const textsOf = (segments: readonly { readonly text: string }[]): string[] =>
  segments.map(({ text }) => text);
