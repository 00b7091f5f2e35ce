import type { Waveform } from '../../audio/waveform.ts';
import { SttError } from '../../core/errors.ts';
import type { AlignmentModel, AlignmentModels, Scheduling, Transcript } from '../contracts.ts';
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
 * where that worked for any segment. Without a model, or if it fails, the transcript stays
 * as it is: words by the recogniser's attention are better than none.
 * @throws the reason of `signal` when it aborts, nothing else.
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
  try {
    const model = await models.forLanguage(language);
    signal.throwIfAborted();
    if (model !== null) return await alignWith(model, transcript, waveform, { scheduling, signal });
    return alignment === 'auto' ? transcript : withWarning(transcript, 'no model');
  } catch (thrown) {
    signal.throwIfAborted();
    return withWarning(transcript, SttError.from(thrown).code);
  }
}

async function alignWith<Result extends Transcript>(
  model: AlignmentModel,
  transcript: Result,
  waveform: Waveform,
  { scheduling, signal }: { readonly scheduling: Scheduling; readonly signal: AbortSignal },
): Promise<Result> {
  const { segments, aligned } = await alignSegments(
    transcript.segments,
    async (range) => model.emissions(await waveform.read(range), scheduling, signal),
    model,
    transcript.language,
    { audioSamples: waveform.sampleCount, concurrency: BATCHES_AHEAD * model.batchSize, signal },
  );
  return { ...transcript, segments, alignment: aligned > 0 ? 'ctc' : transcript.alignment };
}

const withWarning = <Result extends Transcript>(transcript: Result, reason: string): Result => ({
  ...transcript,
  warnings: [
    ...transcript.warnings,
    {
      code: 'ALIGNMENT_UNAVAILABLE',
      message: `Words are timed by attention: no alignment for this language (${reason})`,
    },
  ],
});
