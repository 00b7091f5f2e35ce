import { beforeAll, expect, test } from 'vitest';
import type { TensorMap } from '../../models/engine/protocol.ts';
import { logMel } from '../../models/features/log-mel.ts';
import { Weights } from '../../models/graph/weights.ts';
import { readWhisperCheckpoint, type WhisperCheckpoint } from '../../models/whisper/checkpoint.ts';
import { decodeFeeds } from '../../models/whisper/decode-feeds.ts';
import { decodedRows } from '../../models/whisper/decoded-rows.ts';
import { WhisperDecoder } from '../../models/whisper/decoder.ts';
import { encoder } from '../../models/whisper/encoder.ts';
import { rowPrompt } from '../../models/whisper/row-prompt.ts';
import { transcriptionGraph } from '../../models/whisper/transcription-graph.ts';
import { rowOf, runGraph } from './run-graph.ts';
import {
  describeWithShared,
  largestDifference,
  padded,
  readGolden,
  sampleWaveform,
  sharedPath,
} from './shared-data.ts';

interface NumericsGolden {
  readonly encoder: { rows: Record<string, number[]>; mean: number };
  readonly prompt: number[];
  readonly first_step_top10: [number, number][];
  readonly no_speech_prob: number;
  readonly greedy_no_timestamps: { tokens: number[]; logprobs: number[] };
}

const WINDOW = 480_000;

describeWithShared('tiny.en in float32', () => {
  let checkpoint: WhisperCheckpoint;
  let weights: Weights;
  let golden: NumericsGolden;
  const request = {
    waveform: padded(sampleWaveform(), WINDOW),
    task: 'transcribe',
    language: 'en',
    timestamps: false,
    temperature: 0,
    prompt: null,
  } as const;

  beforeAll(async () => {
    checkpoint = await readWhisperCheckpoint(sharedPath('models/whisper-tiny.en'));
    weights = new Weights(checkpoint.tensors, {
      computeType: 'float32',
      expandQuantized: () => false,
    });
    golden = readGolden('whisper-tiny.en-numerics.json');
  });

  const feeds = () => decodeFeeds(checkpoint, [request], [rowPrompt(checkpoint, request, [])]);

  test('the encoder and the first step give the numbers of openai-whisper', async () => {
    const outputs = await runGraph((graph) => {
      const waveform = graph.input('waveform', 'float32', ['batch', WINDOW]);
      const audio = encoder(graph, weights, checkpoint, logMel(graph, waveform, 80));
      graph.output('encoder', audio, 'float32', ['batch', 1500, 384]);
      const decoder = new WhisperDecoder(weights, checkpoint);
      const { hidden } = decoder.pass(graph, {
        ids: graph.input('prompt', 'int64', ['batch', 'length']),
        positions: graph.integers([0, 1]),
        past: decoder.emptyPast(graph, graph.integers([1])),
        audio: decoder.audioKeyValues(graph, audio),
      });
      const last = graph.op('Gather', [hidden, graph.integers([1], [])], { axis: { int: 1 } });
      const logits = decoder.logits(graph, last, [0, checkpoint.vocabularySize]);
      graph.output('logits', logits, 'float32', ['batch', checkpoint.vocabularySize]);
    }, feeds());
    const rows = Object.entries(golden.encoder.rows).map(([row, expected]) =>
      largestDifference(rowOf(outputs['encoder']!, Number(row)), expected),
    );
    const logits = outputs['logits']!.data as Float32Array;
    const top = golden.first_step_top10.map(([id, score]) => Math.abs(logits[id]! - score));
    process.stderr.write(`encoder: ${Math.max(...rows)}, logits: ${Math.max(...top)}\n`);
    expect(Math.max(...rows)).toBeLessThanOrEqual(2e-4);
    expect(Math.max(...top)).toBeLessThanOrEqual(2e-3);
    expect(golden.first_step_top10[0]![0]).toBe(logits.indexOf(Math.max(...logits)));
  });

  test('the whole graph gives the greedy tokens and log-probabilities', async () => {
    expect(rowPrompt(checkpoint, request, []).prompt).toEqual(golden.prompt);
    const outputs = await runGraph(
      (graph) => transcriptionGraph(graph, weights, checkpoint),
      feeds(),
    );
    const [row] = decodedRows(outputs as unknown as TensorMap, checkpoint.tokens.endOfText);
    const { tokens, logprobs } = golden.greedy_no_timestamps;
    expect([...row!.ids, checkpoint.tokens.endOfText]).toEqual(tokens);
    expect(largestDifference(row!.logProbs, logprobs.slice(0, -1))).toBeLessThanOrEqual(1e-3);
    const sum = logprobs.reduce((total, logProb) => total + logProb, 0);
    expect(row!.sumLogProb).toBeCloseTo(sum, 2);
    expect(outputs['no_speech_prob']!.data[0]).toBeCloseTo(golden.no_speech_prob, 4);
  });
});
