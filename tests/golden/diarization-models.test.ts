import { afterAll, expect, test } from 'vitest';
import { InferenceEngine } from '../../models/engine/engine.ts';
import { EMBEDDED_DIARIZATION } from '../../models/locate-diarization.ts';
import { PyannoteSegmentation } from '../../models/segmentation/pyannote-segmentation.ts';
import { ge2eMels } from '../../models/speaker-embedding/ge2e-mels.ts';
import { kaldiFbank } from '../../models/speaker-embedding/kaldi-fbank.ts';
import { SpeakerEncoder } from '../../models/speaker-embedding/speaker-encoder.ts';
import { runGraph } from './run-graph.ts';
import {
  describeWithShared,
  embeddedPath,
  largestDifference,
  padded,
  readGolden,
  sampleWaveform,
} from './shared-data.ts';

type Rows = Record<string, number[]>;

describeWithShared('the models of diarization', () => {
  const engine = new InferenceEngine({ device: 'cpu', threads: 0 }, (error) => {
    throw error;
  });
  afterAll(() => engine.close());
  const { signal } = new AbortController();

  test('pyannote segmentation gives the reference probabilities, also within a batch', async () => {
    const golden = readGolden<{ rows: Rows }>('pyannote-segmentation.json');
    const model = await PyannoteSegmentation.load(engine, embeddedPath('pyannote-segmentation'));
    expect(model).toMatchObject({ windowSamples: 80_000, framesPerWindow: 293, localSpeakers: 3 });
    const batch = new Float32Array(2 * model.windowSamples);
    batch.set(padded(sampleWaveform(), model.windowSamples), model.windowSamples);
    const probabilities = await model.segment(batch, signal);
    const second = probabilities.subarray(293 * 3);
    for (const [frame, expected] of Object.entries(golden.rows)) {
      const row = second.subarray(3 * Number(frame), 3 * Number(frame) + 3);
      expect(largestDifference(row, expected)).toBeLessThanOrEqual(1e-3);
    }
  });

  test('GE2E hears the reference mels and gives the reference embedding', async () => {
    const golden = readGolden<{ frames: Rows; embedding_of_first_160_frames: number[] }>(
      'ge2e.json',
    );
    const samples = 32_000;
    const { mels } = await runGraph(
      (graph) => {
        const waveform = graph.input('waveform', 'float32', ['batch', samples]);
        graph.output('mels', ge2eMels(graph, waveform, samples), 'float32', ['batch', 200, 40]);
      },
      {
        waveform: { type: 'float32', data: padded(sampleWaveform(), samples), dims: [1, samples] },
      },
    );
    expect(mels!.dims).toEqual([1, 200, 40]);
    const frames = Object.entries(golden.frames).filter(([frame]) => Number(frame) < 200);
    for (const [frame, expected] of frames) {
      const row = (mels!.data as Float32Array).subarray(
        40 * Number(frame),
        40 * Number(frame) + 40,
      );
      const scale = Math.max(...expected);
      expect(largestDifference(row, expected) / scale, frame).toBeLessThanOrEqual(1e-4);
    }
    const encoder = await SpeakerEncoder.load(engine, EMBEDDED_DIARIZATION.embedding);
    const excerpts = new Float32Array(2 * encoder.excerptSamples);
    excerpts.set(padded(sampleWaveform(), encoder.excerptSamples), encoder.excerptSamples);
    const [, embedding] = await encoder.embed(excerpts, signal);
    process.stderr.write(
      `GE2E: ${largestDifference(embedding!, golden.embedding_of_first_160_frames)}\n`,
    );
    expect(largestDifference(embedding!, golden.embedding_of_first_160_frames)).toBeLessThanOrEqual(
      5e-3,
    );
  });

  test('the filter bank is Kaldi’s', async () => {
    const golden = readGolden<{ cmn: Rows }>('kaldi-fbank.json');
    const samples = 48_000;
    const { fbank } = await runGraph(
      (graph) => {
        const waveform = graph.input('waveform', 'float32', ['batch', samples]);
        graph.output('fbank', kaldiFbank(graph, waveform, samples), 'float32', ['batch', 298, 80]);
      },
      {
        waveform: { type: 'float32', data: padded(sampleWaveform(), samples), dims: [1, samples] },
      },
    );
    expect(fbank!.dims).toEqual([1, 298, 80]);
    for (const [frame, expected] of Object.entries(golden.cmn)) {
      const row = (fbank!.data as Float32Array).subarray(
        80 * Number(frame),
        80 * Number(frame) + 80,
      );
      expect(largestDifference(row, expected), frame).toBeLessThanOrEqual(2e-3);
    }
  });
});
