import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import onnxProto, { type onnx as Onnx } from 'onnx-proto';
import { z } from 'zod';
import { SttError } from '../../core/errors.ts';

const { onnx } = onnxProto; // A CommonJS module: its named exports are types only.

/** How a segmentation network names its tensors, what it listens to and what its classes are. */
export interface NetworkShape {
  readonly input: string;
  readonly output: string;
  /**
   * The local speakers of each class: one each where every class is a probability of its own
   * (multi-label), every set of up to two where the classes exclude each other (powerset).
   */
  readonly classes: readonly (readonly number[])[];
  readonly kind: 'multi-label' | 'powerset';
  readonly windowSamples: number;
}

/** What the multi-label models of 2021 and 2022, and segmentation-3.0, were trained on. */
const WINDOW_SAMPLES = { 'multi-label': 80_000, powerset: 160_000 } as const;

const Config = z.object({ id2label: z.record(z.string(), z.string()).optional() });

/**
 * Reads the network's own description: a final sigmoid means multi-label, anything else powerset. The
 * number of classes is the last size of its output, or of `id2label` in `config.json` beside it; the
 * window the last size of its input, or what models of this kind were trained on.
 * @throws {SttError} MODEL_LOAD_FAILED.
 */
export async function readNetworkShape(file: string): Promise<NetworkShape> {
  const bytes = await readFile(file).catch(() => invalid('could not be read'));
  const { graph } = decodeModel(bytes);
  const weights = new Set(graph?.initializer?.map(({ name }) => name));
  const input = graph?.input?.find(({ name }) => !weights.has(name));
  const output = graph?.output?.[0];
  const last = graph?.node?.find(({ output: names }) => names?.includes(output?.name ?? ''));
  if (!input?.name || !output?.name || !last) return invalid('has no input and output');
  const kind = last.opType === 'Sigmoid' ? 'multi-label' : 'powerset';
  const classCount = lastSize(output) || (await labelCount(file));
  const classes =
    kind === 'powerset'
      ? powersetClasses(classCount)
      : Array.from({ length: classCount }, (_, speaker) => [speaker]);
  if (classes.length === 0)
    return invalid(`has ${classCount} classes, which is no set of speakers`);
  const windowSamples = lastSize(input) || WINDOW_SAMPLES[kind];
  return { input: input.name, output: output.name, kind, classes, windowSamples };
}

/** {}, {0}, {1}, …, {0, 1}, {0, 2}, {1, 2}, …: pyannote's order; none where the count does not fit. */
export function powersetClasses(classCount: number): number[][] {
  for (let speakers = 1; 1 + speakers + (speakers * (speakers - 1)) / 2 <= classCount; speakers++) {
    const names = Array.from({ length: speakers }, (_, speaker) => speaker);
    const pairs = names.flatMap((a) => names.slice(a + 1).map((b) => [a, b]));
    const classes = [[], ...names.map((name) => [name]), ...pairs];
    if (classes.length === classCount) return classes;
  }
  return [];
}

function decodeModel(bytes: Uint8Array): Onnx.ModelProto {
  try {
    return onnx.ModelProto.decode(bytes);
  } catch {
    return invalid('is not an ONNX file');
  }
}

/** 0 where it may have any size. */
const lastSize = ({ type }: Onnx.IValueInfoProto): number =>
  Number(type?.tensorType?.shape?.dim?.at(-1)?.dimValue ?? 0);

async function labelCount(file: string): Promise<number> {
  for (const folder of [dirname(file), dirname(dirname(file))]) {
    const text = await readFile(join(folder, 'config.json'), 'utf8').catch(() => undefined);
    if (text === undefined) continue;
    const config = Config.safeParse(parseJson(text));
    return Object.keys(config.data?.id2label ?? {}).length;
  }
  return 0;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function invalid(problem: string): never {
  throw new SttError('MODEL_LOAD_FAILED', `The speaker segmentation network ${problem}`);
}
