import { afterAll, expect, test } from 'vitest';
import { countDiarizationErrors, diarizationErrorRate } from '../../bench/diarization-errors.ts';
import { readRttm } from '../../bench/rttm.ts';
import { InferenceEngine } from '../../models/engine/engine.ts';
import { EMBEDDED_DIARIZATION } from '../../models/locate-diarization.ts';
import { PyannoteSegmentation } from '../../models/segmentation/pyannote-segmentation.ts';
import { SpeakerEncoder } from '../../models/speaker-embedding/speaker-encoder.ts';
import { diarize } from '../../pipeline/diarization/diarize.ts';
import { DEFAULT_DIARIZE_OPTIONS } from '../../pipeline/diarization/options.ts';
import { describeWithShared, embeddedPath, sampleWaveform, sharedPath } from './shared-data.ts';

describeWithShared('the speakers of the sample meeting', () => {
  const engine = new InferenceEngine({ device: 'cpu', threads: 0 }, (error) => {
    throw error;
  });
  afterAll(() => engine.close());

  test('are three, with at most 3 % error, overlap and boundaries included', async () => {
    const segmentation = await PyannoteSegmentation.load(
      engine,
      embeddedPath('pyannote-segmentation'),
    );
    const embedding = await SpeakerEncoder.load(engine, EMBEDDED_DIARIZATION.embedding);
    const samples = sampleWaveform();
    const { speakers, turns, exclusiveTurns } = await diarize(
      {
        sampleCount: samples.length,
        read: ({ start, end }) => Promise.resolve(samples.slice(start, end)),
      },
      { segmentation, embedding },
      DEFAULT_DIARIZE_OPTIONS,
      {},
      new AbortController().signal,
    );
    const rttm = await readRttm(sharedPath('audio/synth/meeting-en.rttm'));
    const reference = rttm.get('meeting-en')!;
    expect(speakers.map(({ label }) => label)).toEqual(['SPEAKER_00', 'SPEAKER_01', 'SPEAKER_02']);
    expect(diarizationErrorRate(countDiarizationErrors(reference, turns))).toBeLessThan(0.03);
    expect(diarizationErrorRate(countDiarizationErrors(reference, exclusiveTurns))).toBeLessThan(
      0.03,
    );
  });
});
