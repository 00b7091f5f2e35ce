import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  countDiarizationErrors,
  diarizationErrorRate,
  sumDiarizationErrors,
} from '../../bench/diarization-errors.ts';
import { readRttm } from '../../bench/rttm.ts';
import { readWavSamples } from '../../bench/wav-samples.ts';
import { InferenceEngine } from '../../models/engine/engine.ts';
import { PyannoteSegmentation } from '../../models/segmentation/pyannote-segmentation.ts';
import { SpeakerEncoder } from '../../models/speaker-embedding/speaker-encoder.ts';
import { diarize } from '../../pipeline/diarization/diarize.ts';
import {
  DEFAULT_DIARIZE_OPTIONS,
  type Diarization,
  type DiarizeModels,
} from '../../pipeline/diarization/options.ts';
import { describeWithShared, sampleWaveform, sharedPath } from './shared-data.ts';

/** Overlap and boundaries included, with the embedded networks and the number of people not given. */
describeWithShared('the speakers of recordings', () => {
  const engine = new InferenceEngine({ device: 'cpu', threads: 0 }, (error) => {
    throw error;
  });
  let models: DiarizeModels;
  beforeAll(async () => {
    models = {
      segmentation: await PyannoteSegmentation.load(engine),
      embedding: await SpeakerEncoder.load(engine),
    };
  });
  afterAll(() => engine.close());

  const speakersIn = (samples: Float32Array<ArrayBuffer>): Promise<Diarization> =>
    diarize(
      {
        sampleCount: samples.length,
        read: ({ start, end }) => Promise.resolve(samples.slice(start, end)),
      },
      models,
      DEFAULT_DIARIZE_OPTIONS,
      {},
      new AbortController().signal,
    );

  test('of the sample meeting are three, with at most 3 % error', async () => {
    const { speakers, turns, exclusiveTurns } = await speakersIn(sampleWaveform());
    const rttm = await readRttm(sharedPath('audio/synth/meeting-en.rttm'));
    const reference = rttm.get('meeting-en')!;
    expect(speakers.map(({ label }) => label)).toEqual(['SPEAKER_00', 'SPEAKER_01', 'SPEAKER_02']);
    for (const heard of [turns, exclusiveTurns]) {
      const errors = countDiarizationErrors(reference, heard);
      expect(diarizationErrorRate(errors)).toBeLessThan(0.03);
    }
  });

  test.each([
    ['a call are two, with at most 7 %', ['sample'], 'sample.rttm', 0.07],
    ['three distant meetings have at most 22 %', ['dev00', 'dev01', 'trn03'], 'meetings.rttm', 0.22],
  ] as const)('of %s error', async (_title, names, rttmFile, limit) => {
    const real = sharedPath('audio/real');
    const rttm = await readRttm(join(real, rttmFile));
    const errors = [];
    for (const name of names) {
      const { turns, speakers } = await speakersIn(
        readWavSamples(readFileSync(join(real, `${name}.wav`))),
      );
      if (name === 'sample') expect(speakers).toHaveLength(2);
      errors.push(countDiarizationErrors(rttm.get(name)!, turns));
    }
    expect(diarizationErrorRate(sumDiarizationErrors(errors))).toBeLessThan(limit);
  });
});
