import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { TensorMap } from '../../models/engine/protocol.ts';
import { toFloats } from '../../models/graph/quantize.ts';
import { Weights } from '../../models/graph/weights.ts';
import { readWhisperCheckpoint, type WhisperCheckpoint } from '../../models/whisper/checkpoint.ts';
import { decodeFeeds } from '../../models/whisper/decode-feeds.ts';
import { decodeGraph } from '../../models/whisper/decode-graph.ts';
import { decodedRows } from '../../models/whisper/decoded-rows.ts';
import { encoder } from '../../models/whisper/encoder.ts';
import { rowPrompt } from '../../models/whisper/row-prompt.ts';
import { writeRandomCheckpoint } from '../../scripts/random-checkpoint.ts';
import { writeSafetensors } from '../fakes/safetensors-files.ts';
import { RANDOM_CHECKPOINTS } from '../fixtures/random-checkpoints.ts';
import { goldenFeatures, MEL_FRAMES } from './golden-features.ts';
import { runGraph } from './run-graph.ts';
import { largestDifference } from './shared-data.ts';

/** By transformers: `tests/fixtures/whisper_random.py`. */
interface RandomGolden {
  /** The first eight values of one position of each row. */
  readonly encoder: readonly (readonly number[])[];
  readonly tokens: readonly (readonly number[])[];
  readonly logProbs: readonly (readonly number[])[];
}

const POSITION = 700;
const PHASE = 0.25;
const FORBIDDEN = -1e30;

let folder: string;
let golden: Readonly<Record<string, RandomGolden>>;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'stt-random-'));
  const path = join(import.meta.dirname, '../fixtures/whisper-random.json');
  golden = JSON.parse(await readFile(path, 'utf8'));
});
afterAll(() => rm(folder, { recursive: true }));

test.each(Object.keys(RANDOM_CHECKPOINTS))(
  '%s decodes as transformers decodes it',
  async (name) => {
    const path = join(folder, name.replaceAll(' ', '_'));
    await writeRandomCheckpoint(path, RANDOM_CHECKPOINTS[name]!);
    const { audio, rows } = await decode(await readWhisperCheckpoint(path), 24);
    const expected = golden[name]!;
    for (const row of [0, 1]) {
      const values = audio.slice((row * 1500 + POSITION) * (audio.length / 3000));
      expect(largestDifference(values, expected.encoder[row]!)).toBeLessThanOrEqual(1e-3);
      expect(rows[row]!.ids).toEqual(expected.tokens[row]);
      const difference = largestDifference(rows[row]!.logProbs, expected.logProbs[row]!);
      expect(difference).toBeLessThanOrEqual(1e-3);
    }
  },
);

test.each(['BF16', 'F16'] as const)(
  'weights in %s decode as the same numbers in float32, and as one file in three',
  async (dtype) => {
    const options = { ...RANDOM_CHECKPOINTS['an English one without the prefix']!, dtype };
    const write = async (name: string, shards: number): Promise<WhisperCheckpoint> => {
      const path = join(folder, `${name}-${dtype}`);
      await writeRandomCheckpoint(path, { ...options, shards });
      return readWhisperCheckpoint(path);
    };
    const stored = await write('stored', 1);
    const expected = await decode(stored, 12);
    expectSame(await decode(await write('sharded', 3), 12), expected);
    await write('float', 1);
    await writeAsFloat32(join(folder, `float-${dtype}`), stored);
    const widened = await readWhisperCheckpoint(join(folder, `float-${dtype}`));
    expect([...widened.tensors.values()].every(({ type }) => type === 'F32')).toBe(true);
    expectSame(await decode(widened, 12), expected);
  },
);

type Decoded = Awaited<ReturnType<typeof decode>>;

function expectSame(found: Decoded, expected: Decoded): void {
  expect(found.rows).toEqual(expected.rows);
  expect(Buffer.from(found.audio.buffer).equals(Buffer.from(expected.audio.buffer))).toBe(true);
}

async function writeAsFloat32(path: string, { tensors }: WhisperCheckpoint): Promise<void> {
  const entries = [...tensors].map(
    async ([name, { file, offsetBytes, lengthBytes, ...stored }]) => {
      const whole = await readFile(file);
      const values = toFloats(whole.subarray(offsetBytes, offsetBytes + lengthBytes), stored.type);
      const bytes = new Uint8Array(values.buffer);
      return [name, { dtype: 'F32', shape: stored.shape, bytes }] as const;
    },
  );
  await writeSafetensors(
    join(path, 'model.safetensors'),
    Object.fromEntries(await Promise.all(entries)),
  );
}

/** Two rows, no rule but that control tokens are not written. */
async function decode(checkpoint: WhisperCheckpoint, tokens: number) {
  const { melBins, dModel } = checkpoint;
  const weights = new Weights(checkpoint.tensors, {
    computeType: 'float32',
    expandQuantized: () => false,
  });
  const request = {
    waveform: new Float32Array(480_000),
    task: 'transcribe',
    language: checkpoint.tokens.isMultilingual ? 'ko' : 'en',
    timestamps: false,
    temperature: 0,
    prompt: null,
  } as const;
  const prompt = rowPrompt(checkpoint, request, []);
  const { timestampsStart, endOfText } = checkpoint.tokens;
  const noControls = new Float32Array(timestampsStart).fill(FORBIDDEN, endOfText);
  const outputs = await runGraph(
    (graph) => {
      const features = graph.input('features', 'float32', ['batch', melBins, MEL_FRAMES]);
      const audio = encoder(graph, weights, checkpoint, features);
      graph.output('encoder', audio, 'float32', ['batch', 1500, dModel]);
      decodeGraph(graph, weights, checkpoint, audio);
    },
    {
      ...decodeFeeds(checkpoint, [request, request], [prompt, prompt]),
      features: {
        type: 'float32',
        data: goldenFeatures(PHASE, melBins),
        dims: [2, melBins, MEL_FRAMES],
      },
      text_bias: { type: 'float32', data: noControls, dims: [1, noControls.length] },
      begin_bias: {
        type: 'float32',
        data: new Float32Array(noControls.length),
        dims: [1, noControls.length],
      },
      max_tokens: { type: 'int64', data: BigInt64Array.of(BigInt(tokens)), dims: [] },
      token_limits: {
        type: 'int64',
        data: BigInt64Array.of(BigInt(tokens), BigInt(tokens)),
        dims: [2, 1],
      },
      // A row with random weights may well repeat itself.
      loop_thresholds: {
        type: 'float32',
        data: new Float32Array(checkpoint.maxTokens >> 1).fill(1e9),
        dims: [1, checkpoint.maxTokens >> 1],
      },
    },
  );
  return {
    audio: outputs['encoder']!.data as Float32Array,
    rows: decodedRows(outputs as unknown as TensorMap, endOfText),
  };
}
