import type { Waveform } from '../audio/waveform.ts';
import { SttError } from '../core/errors.ts';
import { alignTranscript } from './alignment/align-transcript.ts';
import { chineseWriter, type ScriptChoice, type WriteChinese } from './chinese-script.ts';
import type { AlignmentModels, Segment, Transcript, TranscriptWarning } from './contracts.ts';
import { diarize, speakerLabel } from './diarization/diarize.ts';
import { assertComparable } from './diarization/known-speakers.ts';
import type {
  Diarization,
  DiarizedSpeaker,
  DiarizeModels,
  DiarizeOptions,
  SpeakerTurn,
} from './diarization/options.ts';
import { finishSegments } from './finish-segments.ts';
import type { TranscribeHooks, TranscribeOptions } from './options.ts';
import type { PostprocessOptions } from './postprocess/postprocess.ts';
import { sideBySide } from './side-by-side.ts';
import { type TranscribeModels, transcribe } from './transcribe.ts';

export interface RecordingModels extends TranscribeModels, DiarizeModels {
  /** Where words may be timed by a CTC model of their language. */
  readonly alignmentModels?: AlignmentModels | null;
}

export interface RecordingOptions {
  /** `auto`, the default: by a CTC model where there is one, else by the recogniser's attention. */
  readonly alignment?: 'auto' | 'ctc' | 'attention';
  readonly transcribe: TranscribeOptions;
  /** Null: speakers are not told apart. */
  readonly diarize: DiarizeOptions | null;
  readonly postprocess: PostprocessOptions;
  /** Null, the default: in the script of its language. */
  readonly chineseScript?: ScriptChoice;
}

/** A transcript whose segments have speakers, where they were asked for and told apart. */
export interface RecordingTranscript extends Transcript {
  /** By first appearance; empty without diarization. */
  readonly speakers: readonly DiarizedSpeaker[];
  /** Ordered by start; those of different people may overlap. */
  readonly turns: readonly SpeakerTurn[];
  /** What made the speakers' embeddings; null without any. */
  readonly embeddingModel: string | null;
  /** Where each channel was transcribed by itself. */
  readonly channelCount?: number;
}

interface FoundSpeakers extends Omit<Diarization, 'embeddingModel'> {
  readonly embeddingModel: string | null;
  readonly warnings: readonly TranscriptWarning[];
}

const NO_SPEAKERS: FoundSpeakers = {
  speakers: [],
  turns: [],
  exclusiveTurns: [],
  embeddingModel: null,
  warnings: [],
};

/** Of the progress; on a CPU speakers cost about a tenth of what words do. */
const SPEAKERS_SHARE = 0.1;

/**
 * All that is made of a recording: words and speakers are found side by side and brought together,
 * and the text is repaired. What fails stops the rest; only speakers may fail alone, since a
 * transcript with a warning is better than none. Every segment has a speaker, or none has.
 *
 * `hooks.onSegments` gets the segments of the result: early where neither the speakers nor the
 * language, by which text is repaired, are still to be found, else in the end.
 *
 * @throws {SttError} INPUT_INVALID when known speakers cannot be compared with voices; whatever
 * `transcribe` throws; the reason of `signal` when it aborts.
 */
// biome-ignore lint/complexity/useMaxParams: what, how, with which models, who watches, until when
export async function processRecording(
  waveform: Waveform,
  options: RecordingOptions,
  models: RecordingModels,
  hooks: TranscribeHooks,
  signal: AbortSignal,
): Promise<RecordingTranscript> {
  if (options.diarize) assertComparable(options.diarize.knownSpeakers, models.embedding);
  const progress = progressOfBoth(hooks, options.diarize !== null);
  const language = languageOfText(options);
  const { chineseScript = null } = options;
  const early =
    language !== null && options.diarize === null && !mayBeMoved(options, models, language);
  const writeEarly = await chineseWriter(chineseScript, early ? [language] : []);
  const wordHooks: TranscribeHooks = {
    onProgress: progress.words,
    onStage: (...stage) => hooks.onStage?.(...stage),
    onSegments: (segments) => {
      if (early)
        handOn(finish(segments, NO_SPEAKERS, options, { writeChinese: writeEarly }), hooks);
    },
  };
  const speakerHooks = { ...wordHooks, onProgress: progress.speakers };
  const [transcript, found] = await sideBySide(
    (stop) => findWords(waveform, options, models, { hooks: wordHooks, stop }),
    (stop) => findSpeakers(waveform, options.diarize, models, { hooks: speakerHooks, stop }),
    signal,
  );
  const written = languagesOfText(transcript, options);
  const segments = finish(transcript.segments, found, options, {
    spokenLanguage: transcript.language,
    writeChinese: await chineseWriter(chineseScript, written),
  });
  if (!early) handOn(segments, hooks);
  hooks.onProgress?.(1);
  const warnings = [...transcript.warnings, ...found.warnings];
  const { speakers, turns, embeddingModel } = found;
  return { ...transcript, segments, speakers, turns, embeddingModel, warnings };
}

/** The text that was spoken can be aligned with the speech; a translation cannot. */
const isAligned = (
  { alignment = 'auto', transcribe: { task, wordTimes } }: RecordingOptions,
  { alignmentModels }: RecordingModels,
): boolean =>
  wordTimes &&
  task === 'transcribe' &&
  alignment !== 'attention' &&
  (alignment === 'ctc' || Boolean(alignmentModels));

/** Whether words may still be moved by a CTC model of the language. */
const mayBeMoved = (
  options: RecordingOptions,
  models: RecordingModels,
  language: string,
): boolean => isAligned(options, models) && Boolean(models.alignmentModels?.supports(language));

const NO_MODELS: AlignmentModels = {
  supports: () => false,
  forLanguage: () => Promise.resolve(null),
};

async function findWords(
  waveform: Waveform,
  options: RecordingOptions,
  models: RecordingModels,
  { hooks, stop }: { readonly hooks: TranscribeHooks; readonly stop: AbortSignal },
): Promise<Transcript> {
  const transcript = await transcribe(waveform, options.transcribe, models, hooks, stop);
  if (!isAligned(options, models)) return transcript;
  const startedAt = performance.now();
  const { scheduling } = options.transcribe;
  const aligned = await alignTranscript(
    transcript,
    waveform,
    models.alignmentModels ?? NO_MODELS,
    { alignment: options.alignment === 'ctc' ? 'ctc' : 'auto', scheduling },
    stop,
  );
  hooks.onStage?.('align', performance.now() - startedAt);
  return aligned;
}

function handOn(segments: readonly Segment[], hooks: TranscribeHooks): void {
  if (segments.length > 0) hooks.onSegments?.(segments);
}

/** The language that the text is written in; null when it is not known before listening. */
const languageOfText = ({ transcribe: { task, language } }: RecordingOptions): string | null =>
  task === 'translate' ? 'en' : language;

/** All languages that a transcript is written in. */
function languagesOfText(transcript: Transcript, options: RecordingOptions): readonly string[] {
  const written = languageOfText(options);
  if (written !== null) return [written];
  const own = transcript.segments.flatMap(({ language }) => language ?? []);
  return [...new Set([transcript.language, ...own])];
}

const finish = (
  segments: readonly Segment[],
  { exclusiveTurns }: Pick<FoundSpeakers, 'exclusiveTurns'>,
  options: RecordingOptions,
  {
    spokenLanguage = '',
    writeChinese,
  }: { readonly spokenLanguage?: string; readonly writeChinese: WriteChinese },
): Segment[] =>
  finishSegments(segments, exclusiveTurns, {
    writtenLanguage: languageOfText(options),
    spokenLanguage,
    postprocess: options.postprocess,
    writeChinese,
  });

/** Never fails but for an abort. */
async function findSpeakers(
  waveform: Waveform,
  options: DiarizeOptions | null,
  models: RecordingModels,
  { hooks, stop }: { readonly hooks: TranscribeHooks; readonly stop: AbortSignal },
): Promise<FoundSpeakers> {
  if (options === null) return NO_SPEAKERS;
  try {
    const found = await diarize(waveform, models, options, hooks, stop);
    if (found.exclusiveTurns.length > 0) return { ...found, warnings: [] };
    // Nobody was heard: should there be words, one person has said them.
    const everything = { start: 0, end: waveform.sampleCount };
    return { ...NO_SPEAKERS, exclusiveTurns: [{ speaker: speakerLabel(0), range: everything }] };
  } catch (thrown) {
    stop.throwIfAborted();
    hooks.onProgress?.(1);
    const message = `Speakers could not be told apart (${SttError.from(thrown).code})`;
    return { ...NO_SPEAKERS, warnings: [{ code: 'DIARIZATION_FAILED', message }] };
  }
}

/** One fraction out of two; words alone are all of it where there is nothing else to do. */
function progressOfBoth(hooks: TranscribeHooks, isDiarized: boolean) {
  const share = isDiarized ? SPEAKERS_SHARE : 0;
  const done = { words: 0, speakers: 0 };
  const report = (part: keyof typeof done) => (fraction: number) => {
    done[part] = fraction;
    hooks.onProgress?.(Math.min(1, (1 - share) * done.words + share * done.speakers));
  };
  return { words: report('words'), speakers: report('speakers') };
}
