import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { SAMPLE_RATE_HZ } from '../audio/time.ts';
import type { Waveform } from '../audio/waveform.ts';
import { InferenceEngine } from '../models/engine/engine.ts';
import { PyannoteSegmentation } from '../models/segmentation/pyannote-segmentation.ts';
import { SpeakerEncoder } from '../models/speaker-embedding/speaker-encoder.ts';
import { diarize } from '../pipeline/diarization/diarize.ts';
import { DEFAULT_DIARIZE_OPTIONS, type DiarizeModels } from '../pipeline/diarization/options.ts';
import {
  countDiarizationErrors,
  type DiarizationErrors,
  diarizationErrorRate,
  sumDiarizationErrors,
} from './diarization-errors.ts';
import { readRttm } from './rttm.ts';
import { SpeakerMixtures } from './speaker-mixtures.ts';
import { readVoices } from './voices.ts';
import { readWavSamples } from './wav-samples.ts';

/**
 * Diarization error rate (collar 0, overlap included) on the recordings at hand, with the embedded
 * models: missed speech, false alarm and confusion in per cent of the speakers' time.
 */
const { values } = parseArgs({
  options: {
    shared: { type: 'string', default: '../shared' },
    /** So many mixtures of the voices in the recordings instead: who is found, and who is recognised. */
    mixtures: { type: 'string' },
  },
});

const ROOT = join(import.meta.dirname, '..');
const REAL = join(ROOT, values.shared, 'audio/real');
const SYNTHETIC = join(ROOT, values.shared, 'audio/synth');

const RECORDINGS = [
  {
    name: 'meeting-en',
    audio: join(ROOT, 'samples/meeting-en.wav'),
    rttm: join(SYNTHETIC, 'meeting-en.rttm'),
  },
  { name: 'sample', audio: join(REAL, 'sample.wav'), rttm: join(REAL, 'sample.rttm') },
  ...['dev00', 'dev01', 'trn03'].map((name) => ({
    name,
    audio: join(REAL, `${name}.wav`),
    rttm: join(REAL, 'meetings.rttm'),
  })),
];

const engine = new InferenceEngine({ device: 'cpu', threads: 0 }, (error) => {
  throw error;
});
try {
  const models = await loadModels();
  if (values.mixtures === undefined) await report(models);
  else await reportMixtures(models, Number(values.mixtures));
} finally {
  await engine.close();
}

async function loadModels(): Promise<DiarizeModels> {
  return {
    segmentation: await PyannoteSegmentation.load(engine),
    embedding: await SpeakerEncoder.load(engine),
  };
}

async function report(models: DiarizeModels): Promise<void> {
  const { signal } = new AbortController();
  const meetings: DiarizationErrors[] = [];
  process.stdout.write('| recording | DER | missed | false alarm | confusion | speakers | RTF |\n');
  process.stdout.write('|---|---|---|---|---|---|---|\n');
  for (const { name, audio, rttm } of RECORDINGS.filter((recording) =>
    existsSync(recording.rttm),
  )) {
    const waveform = inMemory(readWavSamples(await readFile(audio)));
    const reference = (await readRttm(rttm)).get(name)!;
    const startedAt = performance.now();
    const { turns, speakers } = await diarize(
      waveform,
      models,
      DEFAULT_DIARIZE_OPTIONS,
      {},
      signal,
    );
    const sec = (performance.now() - startedAt) / 1000;
    const errors = countDiarizationErrors(reference, turns);
    if (rttm.endsWith('meetings.rttm')) meetings.push(errors);
    const names = new Set(reference.map(({ speaker }) => speaker));
    const rtf = (sec * SAMPLE_RATE_HZ) / waveform.sampleCount;
    writeRow(name, errors, [`${speakers.length} of ${names.size}`, rtf.toFixed(4)]);
  }
  if (meetings.length > 0) writeRow('the three meetings', sumDiarizationErrors(meetings), ['', '']);
}

/** Constants are chosen on the first half of the voices; what counts is the second. */
async function reportMixtures(models: DiarizeModels, count: number): Promise<void> {
  const voices = await readVoices(join(ROOT, values.shared));
  for (const half of ['tuning', 'testing'] as const) {
    for (const kind of ['far', 'near'] as const) {
      process.stdout.write(`\n${half} half, ${kind}\n\n`);
      await reportKind(SpeakerMixtures.make(models, voices[half], { kind, count }));
    }
  }
}

async function reportKind(mixtures: SpeakerMixtures): Promise<void> {
  process.stdout.write(
    '| setting | DER | missed | false alarm | confusion | people: exact, fewer, more |\n',
  );
  process.stdout.write('|---|---|---|---|---|---|\n');
  for await (const { setting, errors, exact, fewer, more } of mixtures.scores()) {
    writeRow(setting, errors, [`${exact}, ${fewer}, ${more}`]);
  }
  const { same, different } = mixtures.distances();
  const at = (sorted: readonly number[], share: number): string =>
    (sorted[Math.floor(share * sorted.length)] ?? Number.NaN).toFixed(2);
  const quantiles = (sorted: readonly number[], shares: readonly number[]): string =>
    shares.map((share) => `${100 * share} %: ${at(sorted, share)}`).join(', ');
  process.stdout.write(
    `\ndistances of one person in two mixtures (${same.length}): ${quantiles(same, [0.1, 0.5, 0.9])}\n` +
      `of two people (${different.length}): ${quantiles(different, [0.01, 0.02, 0.05, 0.5])}\n`,
  );
  const { voices, wrong, present, missed } = mixtures.knownSpeakers();
  process.stdout.write(
    `known_speakers: ${((100 * wrong) / voices).toFixed(1)} % of ${voices} voices got a wrong name, ` +
      `${((100 * missed) / present).toFixed(1)} % of ${present} known people who were there got none\n`,
  );
}

function writeRow(name: string, errors: DiarizationErrors, rest: readonly string[]): void {
  const percent = (part: number): string =>
    `${((100 * part) / errors.referenceSamples).toFixed(1)} %`;
  const parts = [errors.missed, errors.falseAlarm, errors.confusion].map(percent);
  const der = `${(100 * diarizationErrorRate(errors)).toFixed(1)} %`;
  process.stdout.write(`| ${[name, der, ...parts, ...rest].join(' | ')} |\n`);
}

function inMemory(samples: Float32Array<ArrayBuffer>): Waveform {
  return {
    sampleCount: samples.length,
    read: ({ start, end }) => Promise.resolve(samples.slice(start, end)),
  };
}
