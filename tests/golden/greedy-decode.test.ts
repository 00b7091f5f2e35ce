import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { TensorMap } from '../../models/engine/protocol.ts';
import { Weights } from '../../models/graph/weights.ts';
import { readWhisperCheckpoint, type WhisperCheckpoint } from '../../models/whisper/checkpoint.ts';
import { decodeFeeds } from '../../models/whisper/decode-feeds.ts';
import { decodeGraph } from '../../models/whisper/decode-graph.ts';
import { decodedRows } from '../../models/whisper/decoded-rows.ts';
import { decodingKind } from '../../models/whisper/decoding-kind.ts';
import { recognitions } from '../../models/whisper/recognitions.ts';
import { rowPrompt } from '../../models/whisper/row-prompt.ts';
import type { DecodingRules, RecognitionRequest } from '../../pipeline/contracts.ts';
import { writeRandomCheckpoint } from '../../scripts/random-checkpoint.ts';
import { RANDOM_CHECKPOINTS } from '../fixtures/random-checkpoints.ts';
import { beamSearch } from './beam-oracle.ts';
import { encodedNoise, POSITIONS } from './encoded-noise.ts';
import { GraphRunner } from './run-graph.ts';
import { largestDifference } from './shared-data.ts';
import { StepScores } from './step-scores.ts';

let folder: string;
let checkpoint: WhisperCheckpoint;
let graph: GraphRunner;
let graphInBytes: GraphRunner;
let steps: StepScores;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'stt-greedy-'));
  await writeRandomCheckpoint(folder, RANDOM_CHECKPOINTS['large-v3 in float32']!);
  checkpoint = await readWhisperCheckpoint(folder);
  const form = { computeType: 'float32', expandQuantized: () => false } as const;
  const weights = new Weights(checkpoint.tensors, form);
  steps = await StepScores.load(weights, checkpoint);
  graph = await decoderOf(weights);
  graphInBytes = await decoderOf(new Weights(checkpoint.tensors, { ...form, audioInBytes: true }));
});

const decoderOf = (weights: Weights): Promise<GraphRunner> =>
  GraphRunner.load((outer) => {
    const audio = outer.input('audio', 'float32', ['windows', POSITIONS, checkpoint.dModel]);
    decodeGraph(outer, weights, checkpoint, audio);
  });

afterAll(async () => {
  await steps.release();
  await graph.release();
  await graphInBytes.release();
  await rm(folder, { recursive: true });
});

interface Window {
  /** Of its noise. */
  readonly phase: number;
  readonly limit: number;
  readonly timestamps?: boolean;
}

interface Decode {
  readonly audioInBytes?: boolean;
  readonly rules?: DecodingRules;
  readonly temperature?: number;
  /** Added to the scores of these tokens: random weights say anything else. */
  readonly favoured?: Readonly<Record<number, number>>;
}

/** What the graph makes of some windows in one batch. */
async function decode(
  windows: readonly Window[],
  { rules = {}, temperature = 0, favoured = {}, audioInBytes = false }: Decode,
) {
  const requests = windows.map(
    ({ timestamps = false }): RecognitionRequest => ({
      waveform: new Float32Array(480_000),
      task: 'transcribe',
      language: 'ko',
      timestamps,
      temperature,
      prompt: null,
      rules,
    }),
  );
  const prompts = requests.map((request) => rowPrompt(checkpoint, request, []));
  const kind = decodingKind(requests[0]!, []);
  const feeds = decodeFeeds(checkpoint, requests, prompts, { kind });
  const bias = (feeds['text_bias']!.data as Float32Array<ArrayBuffer>).slice();
  for (const [id, score] of Object.entries(favoured)) bias[Number(id)]! += score;
  const { dModel } = checkpoint;
  const outputs = (await (audioInBytes ? graphInBytes : graph).run({
    ...feeds,
    audio: {
      type: 'float32',
      data: Float32Array.from(windows.flatMap(({ phase }) => [...encodedNoise(dModel, phase)])),
      dims: [windows.length, POSITIONS, dModel],
    },
    text_bias: { type: 'float32', data: bias, dims: [1, bias.length] },
    token_limits: {
      type: 'int64',
      data: BigInt64Array.from(windows, ({ limit }) => BigInt(limit)),
      dims: [windows.length, 1],
    },
  })) as unknown as TensorMap;
  const decoded = windows.map((_, i) => ({
    request: requests[i]!,
    prompt: prompts[i]!,
    droppedPromptTokens: 0,
  }));
  return {
    outputs,
    kind,
    rows: decodedRows(outputs, checkpoint.tokens.endOfText),
    recognitions: recognitions(checkpoint, outputs, decoded, kind),
  };
}

const textIds = (tokens: readonly { kind: string; id?: number }[]) =>
  tokens.flatMap((token) => (token.kind === 'text' ? token.id! : []));

test.each([false, true])(
  'penalty and no-repeat n-grams equal their definition, timestamps: %s',
  async (timestamps) => {
    const rules = { repetitionPenalty: 1.4, noRepeatNgramSize: 2 };
    // Three tokens that win again and again unless a rule forbids it.
    const favoured = { 300: 9, 301: 8.8, 302: 8.6 };
    const limit = 24;
    const windows = [0.1, 2.5].map((phase) => ({ phase, limit, timestamps }));
    const { rows } = await decode(windows, { rules, favoured });
    const free = await decode(windows, { favoured });
    expect(free.rows[0]!.ids).not.toEqual(rows[0]!.ids);
    const { tokens, controlTokens, suppressTokens, beginSuppressTokens } = checkpoint;
    for (const [window, row] of rows.entries()) {
      const request = { language: 'ko', task: 'transcribe', timestamps } as const;
      const { prompt, task } = rowPrompt(checkpoint, request, []);
      const audio = encodedNoise(checkpoint.dModel, windows[window]!.phase);
      const scores = steps.after([...prompt, ...task], audio);
      const biased = async (sequences: readonly (readonly number[])[]) => {
        const all = await scores(sequences);
        for (const one of all) {
          for (const [id, score] of Object.entries(favoured)) one[Number(id)]! += score;
        }
        return all;
      };
      const oracle = {
        tokens,
        suppress: [...controlTokens, ...suppressTokens],
        suppressFirst: beginSuppressTokens,
        timestamps,
        maxInitialTimestamp: checkpoint.maxInitialTimestamp,
        ...rules,
      };
      const search = { beams: 1, patience: 1, lengthPenalty: null, maxTokens: limit };
      const expected = await beamSearch(biased, oracle, search);
      expect(row.ids).toEqual(expected.ids);
      const logProbs = expected.logProbs.slice(0, row.ids.length);
      expect(largestDifference(row.logProbs, logProbs)).toBeLessThanOrEqual(1e-2);
    }
  },
);

test.each([false, true])(
  'samples of windows that end at different times are those of each window alone, audio in bytes: %s',
  async (audioInBytes) => {
    const windows = [3, 40, 9, 22, 5].map((limit, i) => ({ phase: 0.4 + i, limit }));
    const asked = { rules: { bestOf: 3 }, temperature: 0.8, audioInBytes };
    const together = await decode(windows, asked);
    expect(together.rows).toHaveLength(15);
    expect(together.outputs['rows_2']!.dims[0]).toBeLessThan(15);
    expect(together.outputs['rows_3']!.dims[0]).toBeLessThan(together.outputs['rows_2']!.dims[0]!);
    for (const [i, window] of windows.entries()) {
      const alone = await decode([window], asked);
      const own = together.rows.slice(3 * i, 3 * i + 3);
      expect(own.map(({ ids }) => ids)).toEqual(alone.rows.map(({ ids }) => ids));
      for (const [sample, { ids, logProbs }] of own.entries()) {
        expect(ids.length).toBe(window.limit);
        expect(largestDifference(logProbs, alone.rows[sample]!.logProbs)).toBeLessThanOrEqual(1e-3);
      }
      // Nobody says the same thing twice, and the likeliest of the three is taken.
      expect(new Set(own.map(({ ids }) => ids.join())).size).toBe(3);
      const best = own.reduce((a, b) => (b.sumLogProb > a.sumLogProb ? b : a));
      expect(textIds(together.recognitions[i]!.tokens)).toEqual(
        best.ids.filter((id) => id < checkpoint.tokens.timestampsStart),
      );
    }
  },
);

test('a row that loops is stopped and reported, the others go on', async () => {
  // Without timestamps one token wins for ever; the ends of the others are set by their limits.
  const windows = [
    { phase: 0.1, limit: 200 },
    { phase: 2.5, limit: 12 },
    { phase: 1.3, limit: 60, timestamps: true },
  ];
  const { rows, recognitions: heard } = await decode(windows, { favoured: { 300: 1000 } });
  expect(rows[0]!.ids).toEqual(Array(25).fill(300));
  expect(rows[1]!.ids).toEqual(Array(12).fill(300));
  expect(heard.map(({ stoppedBy }) => stoppedBy)).toEqual(['loop', undefined, 'loop']);
  const [, , timed] = rows;
  expect(timed!.ids[0]).toBeGreaterThanOrEqual(checkpoint.tokens.timestampsStart);
  expect(timed!.ids.slice(1)).toEqual(Array(25).fill(300));
});

test('a row that says all that it may is reported, too', async () => {
  const { recognitions: heard } = await decode([{ phase: 0.3, limit: 224 }], {
    rules: { noRepeatNgramSize: 1 },
  });
  expect(heard[0]!.tokens).toHaveLength(checkpoint.maxTokens / 2);
  expect(heard[0]!.stoppedBy).toBe('limit');
});

test('a translation is asked for by its token, language by language', () => {
  const request = (task: 'translate' | 'transcribe', language: string | null) =>
    ({
      waveform: new Float32Array(16_000),
      task,
      language,
      timestamps: false,
      temperature: 0,
      prompt: null,
    }) as const;
  const requests = [
    request('translate', 'ko'),
    request('transcribe', 'ja'),
    request('translate', null),
  ];
  const prompts = requests.map((one) => rowPrompt(checkpoint, one, []));
  const { task } = decodeFeeds(checkpoint, requests, prompts);
  const { tokens } = checkpoint;
  const languageToken = (code: string): number =>
    tokens.languagesStart + tokens.languages.indexOf(code);
  expect([...task!.data].map(Number)).toEqual([
    ...[languageToken('ko'), tokens.translate, tokens.noTimestamps],
    ...[languageToken('ja'), tokens.transcribe, tokens.noTimestamps],
    ...[-1, tokens.translate, tokens.noTimestamps],
  ]);
  expect(tokens.translate).toBe(50_359);
  expect(tokens.transcribe).toBe(50_360);
});
