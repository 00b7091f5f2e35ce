import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openAudio } from '../audio/open-audio.ts';
import { msToSamples, type SampleRange } from '../audio/time.ts';
import { loadConfig } from '../core/config.ts';
import { readRttm, type SpeakerTurn } from './rttm.ts';
import { readWavSamples } from './wav-samples.ts';

/** Everything that one person says alone, in stretches. */
export interface VoiceSource {
  readonly name: string;
  readonly stretches: readonly Float32Array[];
}

const MIN_STRETCH_SAMPLES = msToSamples(400);
/** What 10 % slower and faster speech sounds like: other people, as speaker recognisers are taught. */
const SPEEDS = [0.9, 1, 1.1];

/** Who is heard alone in which of the recordings at hand; one person of two recordings is one voice. */
const RECORDINGS: readonly { readonly wav: string; readonly rttm: string }[] = [
  { wav: 'audio/real/dev00.wav', rttm: 'audio/real/meetings.rttm' },
  { wav: 'audio/real/dev01.wav', rttm: 'audio/real/meetings.rttm' },
  { wav: 'audio/real/trn03.wav', rttm: 'audio/real/meetings.rttm' },
  { wav: 'audio/real/sample.wav', rttm: 'audio/real/sample.rttm' },
  { wav: '../samples/meeting-en.wav', rttm: 'audio/synth/meeting-en.rttm' },
];
const READERS = {
  spk1: Array.from({ length: 6 }, (_, index) => `spk1_snt${index + 1}.wav`),
  jfk: ['jfk.flac'],
} as const;

/** The voices of `../shared/audio`, each at three speeds: `voices[person][speed]`. */
export async function readVoices(
  shared: string,
  samplesFolder: string,
): Promise<readonly (readonly VoiceSource[])[]> {
  const stretches = new Map<string, Float32Array[]>();
  const add = (name: string, stretch: Float32Array): void => {
    stretches.set(name, [...(stretches.get(name) ?? []), stretch]);
  };
  for (const { wav, rttm } of RECORDINGS) {
    const path = wav.startsWith('..')
      ? join(samplesFolder, wav.slice('../samples/'.length))
      : join(shared, wav);
    const samples = readWavSamples(await readFile(path));
    const turns = (await readRttm(join(shared, rttm))).get(nameOf(wav)) ?? [];
    for (const { speaker, range } of aloneIn(turns)) {
      add(speaker, samples.slice(range.start, range.end));
    }
  }
  for (const [name, files] of Object.entries(READERS)) {
    for (const file of files) add(name, await decode(join(shared, 'audio/real'), file));
  }
  return [...stretches]
    .filter(([, own]) => lengthOf(own) >= msToSamples(5000))
    .map(([name, own]) =>
      SPEEDS.map((speed) => atSpeed({ name, stretches: own.map(levelled) }, speed)),
    );
}

const nameOf = (path: string): string => path.replace(/^.*\/|\.wav$/g, '');
const lengthOf = (stretches: readonly Float32Array[]): number =>
  stretches.reduce((sum, { length }) => sum + length, 0);

/** Where one person speaks and nobody else. */
function aloneIn(turns: readonly SpeakerTurn[]): SpeakerTurn[] {
  const edges = [...new Set(turns.flatMap(({ range }) => [range.start, range.end]))];
  edges.sort((a, b) => a - b);
  const alone: { speaker: string; range: SampleRange }[] = [];
  for (let edge = 1; edge < edges.length; edge++) {
    const range = { start: edges[edge - 1]!, end: edges[edge]! };
    const active = turns.filter(
      (turn) => turn.range.start <= range.start && turn.range.end >= range.end,
    );
    if (active.length === 1 && range.end - range.start >= MIN_STRETCH_SAMPLES) {
      alone.push({ speaker: active[0]!.speaker, range });
    }
  }
  return alone;
}

async function decode(root: string, path: string): Promise<Float32Array> {
  const limits = { ...loadConfig({}).audio, root };
  const spooled = await openAudio({ kind: 'path', path }, limits, new AbortController().signal);
  const waveform = await spooled.read({ start: 0, end: spooled.sampleCount });
  await spooled.close();
  return waveform;
}

/** As loud as all others: −26 dB. */
function levelled(stretch: Float32Array): Float32Array {
  const energy = stretch.reduce((sum, sample) => sum + sample ** 2, 0) / stretch.length;
  const gain = 0.05 / (Math.sqrt(energy) || 1);
  return stretch.map((sample) => sample * gain);
}

/** Pitch and pace together, by linear interpolation. */
function atSpeed({ name, stretches }: VoiceSource, speed: number): VoiceSource {
  if (speed === 1) return { name, stretches };
  const resampled = stretches.map((stretch) =>
    Float32Array.from({ length: Math.floor((stretch.length - 1) / speed) }, (_, index) => {
      const at = Math.floor(index * speed);
      const part = index * speed - at;
      return stretch[at]! * (1 - part) + stretch[at + 1]! * part;
    }),
  );
  return { name: `${name} ${speed}`, stretches: resampled };
}
