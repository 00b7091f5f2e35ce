import type { SampleRange } from '../../audio/time.ts';
import type { Waveform } from '../../audio/waveform.ts';
import { SttError } from '../../core/errors.ts';
import type {
  AlignmentModel,
  AlignmentModels,
  Scheduling,
  Segment,
  Transcript,
  TranscriptWarning,
} from '../contracts.ts';
import { alignSegments } from './align-segments.ts';

export interface AlignTranscriptOptions {
  /** `ctc`: a warning where there is no model for a language; `auto` then says nothing. */
  readonly alignment: 'auto' | 'ctc';
  readonly scheduling: Scheduling;
}

/** Batches whose samples are in memory at once, so that the engine need not wait. */
const BATCHES_AHEAD = 2;

/**
 * The transcript with words where a CTC model of their language hears them, and `alignment: 'ctc'`
 * where that worked for any segment; segments of it that keep their words are counted in a warning.
 * Each segment has its own language or the transcript's. Without a model, or if it fails, words stay
 * as they are: by the recogniser's attention they are better than none.
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
  const languageOf = ({ language }: Segment): string => language ?? transcript.language;
  const withWords = transcript.segments.filter(({ words }) => words.length > 0);
  const warnings = [...transcript.warnings];
  const missed: SampleRange[] = [];
  let { segments } = transcript;
  let alignedCount = 0;
  for (const language of new Set(withWords.map(languageOf))) {
    try {
      const model = await models.forLanguage(language, signal);
      signal.throwIfAborted();
      if (model === null) {
        if (alignment === 'ctc') warnings.push(unavailable('no model'));
        continue;
      }
      const found = await alignSegments(segments, {
        ...listenerOf(model, waveform, { scheduling, signal }),
        isWanted: (segment) => languageOf(segment) === language,
        language,
      });
      segments = found.segments;
      alignedCount += found.aligned;
      missed.push(...found.missed);
    } catch (thrown) {
      signal.throwIfAborted();
      warnings.push(unavailable(SttError.from(thrown).code));
    }
  }
  if (alignedCount === 0) return { ...transcript, warnings };
  if (missed.length > 0) warnings.push(partly(missed));
  return { ...transcript, segments, warnings, alignment: 'ctc' };
}

const listenerOf = (
  model: AlignmentModel,
  waveform: Waveform,
  { scheduling, signal }: { readonly scheduling: Scheduling; readonly signal: AbortSignal },
) => ({
  emissionsOf: async (range: SampleRange) =>
    model.emissions(await waveform.read(range), scheduling, signal),
  geometry: model,
  audioSamples: waveform.sampleCount,
  concurrency: BATCHES_AHEAD * model.batchSize,
  signal,
});

const unavailable = (reason: string): TranscriptWarning => ({
  code: 'ALIGNMENT_UNAVAILABLE',
  message: `Words are timed by attention: no alignment for this language (${reason})`,
});

const partly = (ranges: readonly SampleRange[]): TranscriptWarning => ({
  code: 'ALIGNMENT_PARTIAL',
  message: 'Words of these segments are timed by attention: their text was not heard there',
  count: ranges.length,
  ranges: ranges.toSorted((a, b) => a.start - b.start),
});
