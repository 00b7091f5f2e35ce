import type { Waveform } from '../../audio/waveform.ts';
import { SttError } from '../../core/errors.ts';
import type {
  AlignmentModel,
  AlignmentModels,
  Scheduling,
  Transcript,
  TranscriptWarning,
} from '../contracts.ts';
import { alignSegments } from './align-segments.ts';

export interface AlignTranscriptOptions {
  /** `ctc`: a warning where there is no model for the language; `auto` then says nothing. */
  readonly alignment: 'auto' | 'ctc';
  readonly scheduling: Scheduling;
}

/** Batches whose samples are in memory at once, so that the engine need not wait. */
const BATCHES_AHEAD = 2;

/**
 * The transcript with words where a CTC model of its language hears them, and `alignment: 'ctc'`
 * where that worked for any segment. Without a model, or if it cannot be had, the transcript stays
 * as it is: words by the recogniser's attention are better than none.
 * @throws the reason of `signal` when it aborts, and what a dying engine throws.
 */
// biome-ignore lint/complexity/useMaxParams: what, heard how, by which models, how, until when
export async function alignTranscript<Result extends Transcript>(
  transcript: Result,
  waveform: Waveform,
  models: AlignmentModels,
  { alignment, scheduling }: AlignTranscriptOptions,
  signal: AbortSignal,
): Promise<Result> {
  const { language } = transcript;
  if (!transcript.segments.some(({ words }) => words.length > 0)) return transcript;
  const found = await models.forLanguage(language).catch((thrown: unknown) => thrown);
  signal.throwIfAborted();
  if (found instanceof Error) return withWarning(transcript, unavailable(SttError.from(found).code));
  const model = found as AlignmentModel | null;
  if (model === null) {
    return alignment === 'auto' ? transcript : withWarning(transcript, unavailable('no model'));
  }
  const { segments, aligned } = await alignSegments(
    transcript.segments,
    async (range) => model.emissions(await waveform.read(range), scheduling, signal),
    model,
    language,
    { audioSamples: waveform.sampleCount, concurrency: BATCHES_AHEAD * model.batchSize },
  );
  return { ...transcript, segments, alignment: aligned > 0 ? 'ctc' : transcript.alignment };
}

const unavailable = (reason: string): TranscriptWarning => ({
  code: 'ALIGNMENT_UNAVAILABLE',
  message: `Words are timed by attention: no alignment model for the language (${reason})`,
});

const withWarning = <Result extends Transcript>(
  transcript: Result,
  warning: TranscriptWarning,
): Result => ({ ...transcript, warnings: [...transcript.warnings, warning] });
