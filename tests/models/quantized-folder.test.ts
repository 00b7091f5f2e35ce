import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import { mkdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { loadConfig } from '../../core/config.ts';
import { readTensorTable } from '../../models/graph/safetensors.ts';
import { realDisk } from '../../models/hub/disk.ts';
import type { HubOptions } from '../../models/hub/options.ts';
import { thisProcess } from '../../models/hub/process-identity.ts';
import { locateWhisper } from '../../models/locate-whisper.ts';
import { readWhisperCheckpoint } from '../../models/whisper/checkpoint.ts';
import { writeRandomCheckpoint } from '../../scripts/random-checkpoint.ts';
import { RANDOM_CHECKPOINTS } from '../fixtures/random-checkpoints.ts';
import { describeWithShared, embeddedPath, sharedPath } from '../golden/shared-data.ts';
import { filesBelow, NEVER, temporaryFolder } from './hub/hub-workbench.ts';

interface Bench {
  readonly model: string;
  readonly cache: string;
  readonly passes: () => number;
  locate(options?: Partial<HubOptions>, model?: string): Promise<string>;
}

async function quantizer(): Promise<Bench> {
  const root = await temporaryFolder();
  const model = join(root, 'korean-fine-tune');
  const cache = join(root, 'hub');
  await writeRandomCheckpoint(model, RANDOM_CHECKPOINTS['distil in float16']!);
  let passes = 0;
  const options: HubOptions = {
    ...loadConfig({ RUNPOD_MODEL_CACHE: '', MODEL_VOLUME: '', HF_HUB_OFFLINE: 'true' }).hub,
    cache,
    hooks: {
      onQuantize: ({ doneBytes, totalBytes }) => {
        if (doneBytes === totalBytes) passes += 1;
      },
    },
  };
  return {
    model,
    cache,
    passes: () => passes,
    locate: async (changes = {}, reference = model) => {
      const setting = { model: reference, computeType: 'int8', device: 'cpu' } as const;
      return (await locateWhisper(setting, { ...options, ...changes }, NEVER)).folder;
    },
  };
}

test('a checkpoint is quantized once, by whichever of several processes comes first', async () => {
  const { cache, locate, passes } = await quantizer();
  const [one, other] = await Promise.all([locate(), locate()]);
  expect(one).toBe(other);
  expect(one.startsWith(cache)).toBe(true);
  expect(await locate()).toBe(one);
  expect(passes()).toBe(1);
  const { tensors, suppressTokens } = await readWhisperCheckpoint(one);
  expect(tensors.has('model.decoder.embed_tokens.weight.q')).toBe(true);
  expect(suppressTokens.length).toBeGreaterThan(80);
  expect((await filesBelow(dirname(one))).map((path) => path.split('/').at(-1))).toEqual([
    'config.json',
    'generation_config.json',
    'model.safetensors',
    'tokenizer.json',
  ]);
});

test('weights that were changed are quantized again, and those in 8 bits never', async () => {
  const { model, locate, passes } = await quantizer();
  const first = await locate();
  await utimes(join(model, 'model.safetensors'), 1, 1);
  const second = await locate();
  expect(second).not.toBe(first);
  expect(await locate({}, second)).toBe(second);
  expect(passes()).toBe(2);
});

test('what a killed process left behind is removed and never used', async () => {
  const { locate, passes } = await quantizer();
  const folder = await locate();
  await rm(folder, { recursive: true });
  const half = `${folder}.partial-of-another`;
  await mkdir(half);
  await writeFile(join(half, 'model.safetensors'), 'half');
  expect(await locate()).toBe(folder);
  expect(passes()).toBe(2);
  await expect(stat(half)).rejects.toThrow();
});

test('a process that was frozen while it quantized takes what its successor made', async () => {
  const { locate, passes, cache } = await quantizer();
  const target = await locate();
  await rm(target, { recursive: true });
  let isFrozen = false;
  const folder = await locate({
    tuning: { lockStaleMs: 200, lockPollMs: 5 },
    hooks: {
      onQuantize: () => {
        if (isFrozen) return;
        isFrozen = true;
        // What a successor does meanwhile: takes the lock, clears up, and dies before it is done.
        writeFileSync(`${target}.stt-lock`, JSON.stringify({ ...thisProcess(), pid: 2 ** 30 }));
        for (const name of readdirSync(dirname(target))) {
          if (name.includes('.partial-')) rmSync(join(dirname(target), name), { recursive: true });
        }
      },
    },
  });
  expect(folder).toBe(target);
  expect(passes()).toBe(1);
  expect(await filesBelow(cache)).toHaveLength(4);
  expect((await readWhisperCheckpoint(folder)).tensors.size).toBeGreaterThan(0);
});

test('without a cache that can be written the temporary folder is used, and told of', async () => {
  const { locate } = await quantizer();
  const refusal = Object.assign(new Error('read-only'), { code: 'EROFS' });
  let told = 0;
  const folder = await locate({
    disk: { ...realDisk, prepareFolder: () => Promise.reject(refusal) },
    hooks: { onTemporary: () => (told += 1) },
  });
  onTestFinished(() => rm(folder, { recursive: true }));
  expect(told).toBe(1);
  expect((await readWhisperCheckpoint(folder)).tensors.size).toBeGreaterThan(0);
});

describeWithShared('tiny.en in float16', () => {
  test('has the decoder of the embedded model, byte for byte', async () => {
    const { locate } = await quantizer();
    const made = await readTensorTable(await locate({}, sharedPath('models/whisper-tiny.en')));
    const embedded = await readTensorTable(embeddedPath('whisper-tiny.en'));
    const contents = [...made.values(), ...embedded.values()].map(({ file }) => file);
    const [ours, theirs] = await Promise.all([...new Set(contents)].map((file) => readFile(file)));
    const decoder = [...made].filter(([name]) => name.startsWith('model.decoder.'));
    expect(decoder.length).toBeGreaterThan(100);
    for (const [name, { offsetBytes, lengthBytes }] of decoder) {
      const other = embedded.get(name)!.offsetBytes;
      const isSame = ours!
        .subarray(offsetBytes, offsetBytes + lengthBytes)
        .equals(theirs!.subarray(other, other + lengthBytes));
      expect(isSame, name).toBe(true);
    }
  });
});
