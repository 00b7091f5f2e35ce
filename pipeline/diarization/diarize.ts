import { msToSamples, SAMPLE_RATE_HZ, type SampleRange } from '../../audio/time.ts';
import type { Waveform } from '../../audio/waveform.ts';
import { Breather } from '../breather.ts';
import type { TranscribeHooks } from '../options.ts';
import type { FrameRange } from './frame-runs.ts';
import { nameKnownSpeakers } from './known-speakers.ts';
import { findLocalSpeakers, windowStarts } from './local-speakers.ts';
import type {
  Diarization,
  DiarizedSpeaker,
  DiarizeModels,
  DiarizeOptions,
  SpeakerTurn,
} from './options.ts';
import { findPeople, type PeopleOptions, type Person } from './people.ts';
import type { PersonTurns } from './person-listener.ts';
import { edgeOf, hearTracks } from './track-voices.ts';
import { type HeardTrack, linkLocalSpeakers } from './tracks.ts';
import { findTurns, MAX_PEOPLE } from './turns.ts';
import { directionOf } from './voice-sample.ts';

type DiarizeHooks = Pick<TranscribeHooks, 'onProgress' | 'onStage'>;

/** A person who was heard alone for less is not looked for among all others. */
const MIN_CLUSTERED_SAMPLES = 8000;
/** The segmentation takes most of the time. */
const SEGMENTATION_SHARE = 0.7;

/**
 * Who speaks when in a recording of any length: the people of each window are found, followed
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
  const local = await findLocalSpeakers(
    waveform,
    grid,
    { ...options, onProgress: (part) => hooks.onProgress?.(part * SEGMENTATION_SHARE) },
    signal,
  );
  const heardAt = performance.now();
  hooks.onStage?.('speaker_segmentation', heardAt - startedAt, { localSpeakerCount: local.length });
  const breather = new Breather(signal);
  const tracks = await linkLocalSpeakers(local, grid.frameSamples, breather);
  const heard = await hearTracks(waveform, tracks, models, {
    signal,
    onProgress: (part) => hooks.onProgress?.(SEGMENTATION_SHARE + part * (1 - SEGMENTATION_SHARE)),
  });
  hooks.onStage?.('speaker_voices', performance.now() - heardAt, { trackCount: tracks.length });
  const context = { sampleCount: waveform.sampleCount, models, options };
  const { people, turns } = await peopleWhoSpeak(heard, context, breather);
  signal.throwIfAborted();
  hooks.onProgress?.(1);
  return describe(people, turns, context);
}

interface Context {
  readonly sampleCount: number;
  readonly models: DiarizeModels;
  readonly options: DiarizeOptions;
}

interface Found {
  readonly people: readonly Person[];
  readonly turns: readonly PersonTurns[];
}

/**
 * The people, without those who turn out to say nothing: what one window takes for a voice and the
 * others for silence. Should such a one have taken a person's place, the others are looked at again.
 */
async function peopleWhoSpeak(
  tracks: readonly HeardTrack[],
  context: Context,
  breather: Breather,
): Promise<Found> {
  const people = await findPeople(tracks, peopleOptions(context), breather);
  const turns = await turnsOf(people, context, breather);
  const speaking = people.filter((_, person) => turns[person]!.turns.length > 0);
  const left = new Set(speaking.flatMap((person) => person.tracks));
  if (speaking.length === people.length || left.size === tracks.length || left.size === 0) {
    return { people, turns };
  }
  return peopleWhoSpeak([...left], context, breather);
}

const peopleOptions = ({ models, options }: Context): PeopleOptions => ({
  sameSpeaker: models.embedding.sameSpeaker,
  minSpeakers: options.numSpeakers ?? options.minSpeakers,
  maxSpeakers: Math.min(MAX_PEOPLE, options.numSpeakers ?? options.maxSpeakers ?? MAX_PEOPLE),
  minClusteredFrames: MIN_CLUSTERED_SAMPLES / models.segmentation.frameSamples,
  framesPerSec: SAMPLE_RATE_HZ / models.segmentation.frameSamples,
});

function turnsOf(
  people: readonly Person[],
  { sampleCount, models: { segmentation: grid }, options }: Context,
  breather: Breather,
): Promise<PersonTurns[]> {
  const windows = windowStarts(sampleCount, grid).map((start) => ({
    start: start / grid.frameSamples,
    end: start / grid.frameSamples + grid.framesPerWindow,
  }));
  const toFrames = (ms: number): number => Math.round(msToSamples(ms) / grid.frameSamples);
  const rules = {
    ...options,
    minTurnFrames: toFrames(options.minTurnMs),
    minPauseFrames: toFrames(options.minPauseMs),
  };
  return findTurns(people, windows.at(-1)?.end ?? 0, { windows, rules }, breather);
}

function describe(
  people: readonly Person[],
  heard: readonly PersonTurns[],
  { sampleCount, models, options }: Context,
): Diarization {
  const order = [...people.keys()]
    .filter((person) => heard[person]!.turns.length > 0)
    .toSorted((a, b) => heard[a]!.turns[0]!.start - heard[b]!.turns[0]!.start);
  const rangesOf = (person: number, kind: keyof PersonTurns): SampleRange[] =>
    heard[person]![kind].map((frames) => toSamples(frames, models, sampleCount)).filter(
      ({ start, end }) => end > start,
    );
  const voices = order.map((person) => ({
    embedding: directionOf(people[person]!.voice),
    totalSamples: rangesOf(person, 'turns').reduce((sum, { start, end }) => sum + end - start, 0),
  }));
  const { knownSpeaker, name: embeddingModel } = models.embedding;
  const known = nameKnownSpeakers(voices, options.knownSpeakers, knownSpeaker);
  const speakers = voices.map((voice, index): DiarizedSpeaker => {
    const { name: label = speakerLabel(index), similarity } = known[index] ?? {};
    return { label, ...voice, ...(similarity !== undefined && { similarity }) };
  });
  const toTurns = (kind: keyof PersonTurns): SpeakerTurn[] =>
    order
      .flatMap((person, index) =>
        rangesOf(person, kind).map((range) => ({ speaker: speakers[index]!.label, range })),
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
