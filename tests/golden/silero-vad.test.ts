import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { InferenceEngine } from '../../models/engine/engine.ts';
import type { TensorMap } from '../../models/engine/protocol.ts';
import { OnnxGraph } from '../../models/graph/onnx-graph.ts';
import { SileroVad } from '../../models/vad/silero-vad.ts';
import { temporaryFolder } from '../models/hub/hub-workbench.ts';
import {
  describeWithShared,
  embeddedPath,
  largestDifference,
  readGolden,
  sampleWaveform,
} from './shared-data.ts';

const engine = new InferenceEngine({ device: 'cpu', threads: 0 }, (error) => {
  throw error;
});
afterAll(() => engine.close());

describeWithShared('Silero VAD in its sequence form', () => {
  test('gives the step-by-step probabilities, in one piece and in many', async () => {
    const golden = readGolden<Record<string, { probs: number[] }>>('silero-vad.json');
    const { probs } = golden['audio/synth/meeting-en.flac']!;
    const vad = await SileroVad.load(engine, embeddedPath('silero-vad'));
    const waveform = sampleWaveform();
    const { signal } = new AbortController();
    const whole = await vad.openStream().push(waveform, signal);
    expect(largestDifference(whole, probs)).toBeLessThanOrEqual(1e-3);
    expect(whole.length).toBe(probs.length);

    const stream = vad.openStream();
    const pieces: number[] = [];
    for (let start = 0; start < waveform.length; start += 100 * vad.windowSamples) {
      const piece = waveform.subarray(start, start + 100 * vad.windowSamples);
      pieces.push(...(await stream.push(piece, signal)));
    }
    expect(largestDifference(pieces, probs)).toBeLessThanOrEqual(1e-3);
  });
});

describe('Silero VAD as products of matrices', () => {
  const file = embeddedPath('silero-vad/silero_vad_16k_sequence.onnx');
  const state = (value: number) =>
    ({ type: 'float32', data: new Float32Array(128).fill(value), dims: [1, 1, 128] }) as const;
  const frames = (data: Float32Array<ArrayBuffer>): TensorMap => ({
    input: { type: 'float32', data, dims: [data.length / 576, 576] },
    h: state(0.1),
    c: state(-0.2),
  });

  test.each([
    ['speech', sampleWaveform().slice(0, 1200 * 576)],
    ['one window', sampleWaveform().slice(80_000, 80_576)],
    ['full scale noise', Float32Array.from({ length: 400 * 576 }, (_, at) => Math.sin(at * at))],
    ['silence', new Float32Array(50 * 576)],
  ])('gives the probabilities and states of the graph in the file: %s', async (_, samples) => {
    await engine.load('stored', { kind: 'onnx', file });
    await engine.load('rebuilt', { kind: 'silero-vad', file });
    const stored = await engine.run('stored', frames(samples.slice()));
    const rebuilt = await engine.run('rebuilt', frames(samples.slice()));
    for (const [name, { data, dims }] of Object.entries(stored)) {
      const expected = Array.from(data, Number);
      const scale = Math.max(1, ...expected.map(Math.abs)); // Cells count up: they have no bound.
      const difference = largestDifference(Array.from(rebuilt[name]!.data, Number), expected);
      expect(rebuilt[name]!.dims).toEqual(dims);
      expect(difference / scale).toBeLessThan(1e-4);
    }
  });

  test('says so where the file is another network', async () => {
    const folder = await temporaryFolder();
    const graph = new OnnxGraph();
    graph.output('y', graph.op('Neg', [graph.input('x', 'float32', [1])]), 'float32', [1]);
    const other = join(folder, 'other.onnx');
    await writeFile(other, graph.toModel());
    await expect(engine.load('other', { kind: 'silero-vad', file: other })).rejects.toThrow(
      'The voice activity network has no float32 tensor stft.forward_basis_buffer',
    );
    const text = embeddedPath('silero-vad/LICENSE');
    await expect(engine.load('other', { kind: 'silero-vad', file: text })).rejects.toMatchObject({
      code: 'MODEL_LOAD_FAILED',
    });
  });
});
