import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import onnxProto from 'onnx-proto';
import { z } from 'zod';
import { SttError } from '../../core/errors.ts';

const { onnx } = onnxProto; // A CommonJS module: its named exports are types only.

/** How a segmentation network names its tensors and what its classes are. */
export interface NetworkShape {
  readonly input: string;
  readonly output: string;
  /**
   * The local speakers of each class: one each where every class is a probability of its own
   * (multi-label), every set of up to two where the classes exclude each other (powerset).
   */
  readonly classes: readonly (readonly number[])[];
  readonly kind: 'multi-label' | 'powerset';
}

const configSchema = z.object({ id2label: z.record(z.string(), z.string()).optional() });

/**
 * Reads the network's own description: a final sigmoid means multi-label, anything else powerset; the
 * number of classes is the last size of its output, or of `id2label` in `config.json` beside it.
 * @throws {SttError} MODEL_LOAD_FAILED.
 */
export async function readNetworkShape(file: string): Promise<NetworkShape> {
  const graph = onnx.ModelProto.decode(await readFile(file).catch(unreadable)).graph;
  const weights = new Set(graph?.initializer?.map(({ name }) => name));
  const input = graph?.input?.find(({ name }) => !weights.has(name))?.name;
  const output = graph?.output?.[0];
  const last = graph?.node?.find(({ output: names }) => names?.includes(output?.name ?? ''));
  if (!input || !output?.name || !last) return unreadable();
  const classCount =
    Number(output.type?.tensorType?.shape?.dim?.at(-1)?.dimValue ?? 0) || (await labels(file));
  const kind = last.opType === 'Sigmoid' ? 'multi-label' : 'powerset';
  const classes =
    kind === 'powerset'
      ? powersetClasses(classCount)
      : Array.from({ length: classCount }, (_, speaker) => [speaker]);
  if (classes.length === 0) return unreadable();
  return { input, output: output.name, kind, classes };
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

async function labels(file: string): Promise<number> {
  for (const folder of [dirname(file), dirname(dirname(file))]) {
    const text = await readFile(join(folder, 'config.json'), 'utf8').catch(() => undefined);
    if (text === undefined) continue;
    return Object.keys(configSchema.parse(JSON.parse(text)).id2label ?? {}).length;
  }
  return 0;
}

function unreadable(): never {
  throw new SttError('MODEL_LOAD_FAILED', 'The speaker segmentation network could not be read');
}
