import { msToSamples, SAMPLE_RATE_HZ, type SampleRange } from '../../audio/time.ts';
import type { Waveform } from '../../audio/waveform.ts';
import { Breather } from '../breather.ts';
import type { TranscribeHooks } from '../options.ts';
import { directionOf } from './centroid.ts';
import { edgeOf, embedTracks } from './embed-tracks.ts';
import { type FindSpeakersOptions, type FoundSpeaker, findSpeakers } from './find-speakers.ts';
import type { FrameRange, Thresholds } from './frame-runs.ts';
import { nameKnownSpeakers } from './known-speakers.ts';
import { findLocalSpeakers, windowStarts } from './local-speakers.ts';
import type {
  Diarization,
  DiarizedSpeaker,
  DiarizeModels,
  DiarizeOptions,
  SpeakerTurn,
} from './options.ts';
import type { SpeakerRuns } from './speaker-activity.ts';
import { type EmbeddedTrack, linkLocalSpeakers } from './tracks.ts';
import { findTurns, MAX_SPEAKERS } from './turns.ts';

type DiarizeHooks = Pick<TranscribeHooks, 'onProgress' | 'onStage'>;

/** A speaker who was heard alone for less is not looked for among all others. */
const MIN_CLUSTERED_SAMPLES = 8000;
/** The segmentation takes most of the time. */
const SEGMENTATION_SHARE = 0.7;

/**
 * Who speaks when in a recording of any length: the speakers of each window are found, followed
 * through overlapping windows, and grouped by how they sound. The same recording gives the same
 * result. Reads the recording twice; memory grows by about 15 MB an hour.
 *
 * @throws whatever a model or the waveform throws; the reason of `signal` when it aborts.
 */
// biome-ignore lint/complexity/useMaxParams: what, with which models, how, who watches, until when
export async function diarize(
  waveform: Waveform,
  models: DiarizeModels,
  options: DiarizeOptions,
  hooks: DiarizeHooks,
  signal: AbortSignal,
): Promise<Diarization> {
  const { segmentation: grid } = models;
  const startedAt = performance.now();
  const { speakers: local, thresholds } = await findLocalSpeakers(
    waveform,
    grid,
    { onProgress: (part) => hooks.onProgress?.(part * SEGMENTATION_SHARE) },
    signal,
  );
  const heardAt = performance.now();
  hooks.onStage?.('speaker_segmentation', heardAt - startedAt, { localSpeakerCount: local.length });
  const breather = new Breather(signal);
  const tracks = await linkLocalSpeakers(local, grid.frameSamples, breather);
  const embedded = await embedTracks(waveform, tracks, models, {
    signal,
    onProgress: (part) => hooks.onProgress?.(SEGMENTATION_SHARE + part * (1 - SEGMENTATION_SHARE)),
  });
  hooks.onStage?.('speaker_voices', performance.now() - heardAt, { trackCount: tracks.length });
  const context = { sampleCount: waveform.sampleCount, models, options, thresholds };
  const { found, runs } = await speakersWithTurns(embedded, context, breather);
  signal.throwIfAborted();
  hooks.onProgress?.(1);
  return describe(found, runs, context);
}

interface Context {
  readonly sampleCount: number;
  readonly models: DiarizeModels;
  readonly options: DiarizeOptions;
  readonly thresholds: Thresholds;
}

interface Found {
  readonly found: readonly FoundSpeaker[];
  /** When each of them speaks. */
  readonly runs: readonly SpeakerRuns[];
}

/**
 * The speakers, without those who turn out to say nothing: what one window takes for a voice and the
 * others for silence. Should such a one have taken a speaker's place, the others are looked at again.
 */
async function speakersWithTurns(
  tracks: readonly EmbeddedTrack[],
  context: Context,
  breather: Breather,
): Promise<Found> {
  const found = await findSpeakers(tracks, findOptions(context), breather);
  const runs = await runsOf(found, context, breather);
  const speaking = found.filter((_, index) => runs[index]!.turns.length > 0);
  const left = new Set(speaking.flatMap((speaker) => speaker.tracks));
  if (speaking.length === found.length || left.size === tracks.length || left.size === 0) {
    return { found, runs };
  }
  return speakersWithTurns([...left], context, breather);
}

const findOptions = ({ models, options }: Context): FindSpeakersOptions => ({
  sameSpeaker: models.embedding.sameSpeaker,
  minSpeakers: options.numSpeakers ?? options.minSpeakers,
  maxSpeakers: Math.min(MAX_SPEAKERS, options.numSpeakers ?? options.maxSpeakers ?? MAX_SPEAKERS),
  minClusteredFrames: MIN_CLUSTERED_SAMPLES / models.segmentation.frameSamples,
  framesPerSec: SAMPLE_RATE_HZ / models.segmentation.frameSamples,
});

function runsOf(
  found: readonly FoundSpeaker[],
  { sampleCount, models: { segmentation: grid }, options, thresholds }: Context,
  breather: Breather,
): Promise<SpeakerRuns[]> {
  const windows = windowStarts(sampleCount, grid).map((start) => ({
    start: start / grid.frameSamples,
    end: start / grid.frameSamples + grid.framesPerWindow,
  }));
  const toFrames = (ms: number): number => Math.round(msToSamples(ms) / grid.frameSamples);
  const rules = {
    thresholds,
    minTurnFrames: toFrames(options.minTurnMs),
    minPauseFrames: toFrames(options.minPauseMs),
  };
  return findTurns(found, windows.at(-1)?.end ?? 0, { windows, rules }, breather);
}

function describe(
  found: readonly FoundSpeaker[],
  runs: readonly SpeakerRuns[],
  { sampleCount, models, options }: Context,
): Diarization {
  const order = [...found.keys()]
    .filter((index) => runs[index]!.turns.length > 0)
    .toSorted((a, b) => runs[a]!.turns[0]!.start - runs[b]!.turns[0]!.start);
  const rangesOf = (index: number, kind: keyof SpeakerRuns): SampleRange[] =>
    runs[index]![kind].map((frames) => toSamples(frames, models, sampleCount)).filter(
      ({ start, end }) => end > start,
    );
  const measured = order.map((index) => ({
    embedding: directionOf(found[index]!.centroid),
    totalSamples: rangesOf(index, 'turns').reduce((sum, { start, end }) => sum + end - start, 0),
  }));
  const { knownSpeaker, name: embeddingModel } = models.embedding;
  const known = nameKnownSpeakers(measured, options.knownSpeakers, knownSpeaker);
  const speakers = measured.map((speaker, index): DiarizedSpeaker => {
    const { name: label = speakerLabel(index), similarity } = known[index] ?? {};
    return { label, ...speaker, ...(similarity !== undefined && { similarity }) };
  });
  const toTurns = (kind: keyof SpeakerRuns): SpeakerTurn[] =>
    order
      .flatMap((foundIndex, index) =>
        rangesOf(foundIndex, kind).map((range) => ({ speaker: speakers[index]!.label, range })),
      )
      .toSorted((a, b) => a.range.start - b.range.start);
  return {
    turns: toTurns('turns'),
    exclusiveTurns: toTurns('exclusive'),
    speakers,
    embeddingModel,
  };
}

/** `SPEAKER_00`, …: whoever has no name. */
export const speakerLabel = (index: number): string => `SPEAKER_${String(index).padStart(2, '0')}`;

const toSamples = (
  { start, end }: FrameRange,
  { segmentation: grid }: DiarizeModels,
  sampleCount: number,
): SampleRange => ({
  start: Math.min(sampleCount, edgeOf(start, grid)),
  end: Math.min(sampleCount, edgeOf(end, grid)),
});
