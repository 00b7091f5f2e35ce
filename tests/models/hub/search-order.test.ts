import { mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { describe, expect, test } from 'vitest';
import { loadConfig } from '../../../core/config.ts';
import { readSafetensorsHeader } from '../../../models/graph/safetensors.ts';
import { cachePlaces, type HubOptions, type MissedPin } from '../../../models/hub/options.ts';
import { resolveModel } from '../../../models/hub/resolve-model.ts';
import { WHISPER_MODELS } from '../../../models/registry.ts';
import { COMMIT } from '../../fakes/hub-server.ts';
import {
  failureOf,
  filesBelow,
  NEVER,
  REPO,
  temporaryFolder,
  whisperRepo,
  workbench,
} from './hub-workbench.ts';

const folderOf = (repo: string): string => `models--${repo.replace('/', '--')}`;
const OTHER = 'beef'.padEnd(40, '1');
/** A safetensors file without tensors. */
const EMPTY_WEIGHTS = Buffer.concat([
  Buffer.from([8, 0, 0, 0, 0, 0, 0, 0]),
  Buffer.from('{}      '),
]);
const NEEDED = {
  'config.json': Buffer.from('{}'),
  'tokenizer.json': Buffer.from('{}'),
  'model.safetensors': EMPTY_WEIGHTS,
};

const put = async (path: string, bytes: Buffer | string): Promise<void> => {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, bytes);
};

const putLink = async (path: string, target: string): Promise<void> => {
  await mkdir(dirname(path), { recursive: true });
  await symlink(relative(dirname(path), target), path);
};

interface CacheContent {
  readonly name?: string;
  readonly commit?: string;
  readonly files?: Readonly<Record<string, Buffer>>;
  readonly refs?: readonly string[];
}

/** Writes a cache as Python's huggingface_hub 2 does: content shared by all models, two hops away. */
async function writeLikePython(
  root: string,
  { name = REPO, commit = COMMIT, files = NEEDED, refs = ['main'] }: CacheContent = {},
): Promise<string> {
  const repo = join(root, folderOf(name));
  for (const [path, bytes] of Object.entries(files)) {
    const etag = Buffer.from(path).toString('hex').padEnd(64, '0').slice(0, 64);
    const shared = join(root, 'blobs', etag.slice(0, 2), etag);
    await put(shared, bytes);
    const blob = join(repo, 'blobs', etag);
    await rm(blob, { force: true });
    await putLink(blob, shared);
    await putLink(join(repo, 'snapshots', commit, path), blob);
  }
  for (const ref of refs) await put(join(repo, 'refs', ref), commit);
  return join(repo, 'snapshots', commit);
}

describe('where a model is looked for', () => {
  test('a folder is taken as it is', async () => {
    const folder = await temporaryFolder();
    for (const [path, bytes] of Object.entries(NEEDED)) await put(join(folder, path), bytes);
    const { resolve, hub } = await workbench();
    expect(await resolve(folder)).toEqual({ folder, revision: null, source: 'folder' });
    expect(hub.requests).toEqual([]);
  });

  test('a folder that lacks something is an error that names it', async () => {
    const folder = await temporaryFolder();
    await put(join(folder, 'config.json'), '{}');
    const { resolve } = await workbench();
    const failure = await failureOf(resolve(folder));
    expect(failure.code).toBe('MODEL_NOT_FOUND');
    expect(failure.message).toBe('The model folder has no tokenizer.json, model.safetensors');
    const absent = await failureOf(resolve(join(folder, 'absent')));
    expect(absent.message).toBe('The model folder does not exist');
  });

  test.each([
    ['adapter_config.json', 'merge_and_unload'],
    ['pytorch_model.bin', 'save_pretrained'],
    ['model.bin', 'faster-whisper'],
    ['ggml-large-v3.bin', 'whisper.cpp'],
    ['tf_model.h5', 'TensorFlow'],
  ])('a folder with %s instead of safetensors says what to do', async (file, advice) => {
    const folder = await temporaryFolder();
    await put(join(folder, 'config.json'), '{}');
    await put(join(folder, file), '');
    const { resolve } = await workbench();
    const failure = await failureOf(resolve(folder));
    expect(failure.code).toBe('MODEL_INVALID');
    expect(failure.message).toContain(advice);
  });

  test('a cache with pickled weights alone does not keep the Hub from being asked', async () => {
    const { cache, resolve } = await workbench();
    await writeLikePython(cache, {
      files: { 'config.json': Buffer.from('{}'), 'pytorch_model.bin': Buffer.from('') },
    });
    expect(await resolve()).toMatchObject({ source: 'download' });
  });

  test('the places come in order: RunPod, Hugging Face, volume', async () => {
    const { options, resolve, cache } = await workbench();
    await writeLikePython(options.volume!);
    expect((await resolve()).source).toBe('volume');
    const inCache = await writeLikePython(cache);
    expect(await resolve()).toEqual({ folder: inCache, revision: COMMIT, source: 'hf-cache' });
    await writeLikePython(options.runpodCache!, { commit: OTHER });
    expect(await resolve()).toMatchObject({ revision: OTHER, source: 'runpod-cache' });
  });

  test('what Python wrote can be read through both of its links', async () => {
    const { resolve, cache } = await workbench();
    await writeLikePython(cache);
    const { folder } = await resolve();
    expect(await readSafetensorsHeader(join(folder, 'model.safetensors'))).toEqual(new Map());
  });

  test("RunPod's folder is read without its refs", async () => {
    const { resolve, options } = await workbench();
    await writeLikePython(options.runpodCache!, { refs: [] });
    expect(await resolve()).toMatchObject({ revision: COMMIT, source: 'runpod-cache' });
  });

  test('a pinned commit is not replaced by another one that is there', async () => {
    const { resolve, options } = await workbench();
    await writeLikePython(options.runpodCache!, { commit: OTHER });
    expect(await resolve(`${REPO}@${COMMIT}`)).toMatchObject({
      revision: COMMIT,
      source: 'download',
    });
  });

  test('a link that leads nowhere is a file that is not there', async () => {
    const { resolve, cache } = await workbench();
    const folder = await writeLikePython(cache);
    await rm(join(cache, 'blobs'), { recursive: true });
    expect(await filesBelow(folder)).toHaveLength(3);
    expect((await resolve()).source).toBe('download');
  });

  test('an incomplete snapshot is completed', async () => {
    const { resolve, cache } = await workbench();
    const { 'tokenizer.json': _, ...files } = NEEDED;
    await writeLikePython(cache, { files });
    const model = await resolve();
    expect(model.source).toBe('download');
    expect(await filesBelow(model.folder)).toContain('tokenizer.json');
  });

  test('a volume that is not mounted is not created', async () => {
    const { resolve, options, cache } = await workbench();
    expect((await resolve()).folder.startsWith(cache)).toBe(true);
    expect(await filesBelow(dirname(options.volume!))).toEqual([]);
  });

  test('HF_HUB_CACHE comes before HF_HOME, XDG_CACHE_HOME and the home folder', () => {
    const rootOf = (env: NodeJS.ProcessEnv): string =>
      cachePlaces(loadConfig({ ...env, RUNPOD_MODEL_CACHE: '' }).hub)[0]!.root;
    const [cache, home, user] = [
      { HF_HUB_CACHE: '/cache' },
      { HF_HOME: '/home' },
      { XDG_CACHE_HOME: '/user' },
    ];
    expect(rootOf({ ...cache, ...home, ...user })).toBe('/cache');
    expect(rootOf({ ...home, ...user })).toBe('/home/hub');
    expect(rootOf(user)).toBe('/user/huggingface/hub');
    expect(rootOf({})).toMatch(/\.cache\/huggingface\/hub$/);
  });
});

describe('a model of the registry', () => {
  const name = 'openai/whisper-tiny';
  const pinned = WHISPER_MODELS.tiny.revision;
  const pinnedBench = async (commits: Readonly<Record<string, string>>, files = {}) => {
    const misses: MissedPin[] = [];
    const bench = await workbench({ ...whisperRepo(files), revisions: commits }, name);
    const hooks = { onPinMissed: (miss: MissedPin) => misses.push(miss) };
    const resolve = (changes: Partial<HubOptions> = {}) =>
      bench.resolve('tiny', { hooks, ...changes });
    return { ...bench, resolve, misses };
  };

  test('is downloaded at its commit, and found there later', async () => {
    const { resolve, misses } = await pinnedBench({ main: OTHER, v1: pinned });
    expect(await resolve()).toMatchObject({ revision: pinned, source: 'download' });
    expect(await resolve()).toMatchObject({ revision: pinned, source: 'hf-cache' });
    expect(misses).toEqual([]);
  });

  test('is downloaded from its branch, with a word about it, where the Hub lacks the commit', async () => {
    const { resolve, misses } = await pinnedBench({ main: OTHER });
    expect(await resolve()).toMatchObject({ revision: OTHER, source: 'download' });
    expect(misses).toEqual([{ model: name, pinned, used: 'main' }]);
  });

  test('is not replaced where a user names the commit', async () => {
    const { options } = await pinnedBench({ main: OTHER });
    const failure = await failureOf(resolveModel(`${name}@${pinned}`, [], options, NEVER));
    expect(failure.message).toBe(`${name} has no revision ${pinned}`);
  });

  test('is taken from a cache at another commit of its branch, also offline, rather than fetched', async () => {
    const { resolve, options, misses, hub } = await pinnedBench({ main: OTHER });
    await writeLikePython(options.runpodCache!, { name, commit: OTHER, refs: [] });
    for (const offline of [false, true]) {
      expect(await resolve({ offline })).toMatchObject({ revision: OTHER, source: 'runpod-cache' });
    }
    expect(misses).toEqual([1, 2].map(() => ({ model: name, pinned, used: OTHER })));
    expect(hub.requests).toEqual([]);
  });

  test('tells each stage that it went through', async () => {
    const { resolve } = await pinnedBench({ main: OTHER });
    const stages: string[] = [];
    const hooks = { onStage: (stage: string) => stages.push(stage) };
    await resolve({ hooks });
    await resolve({ hooks });
    expect(stages).toEqual(['resolve', 'download', 'resolve']);
  });
});

describe('offline', () => {
  test('a cached model is found', async () => {
    const { resolve, cache } = await workbench();
    await writeLikePython(cache);
    expect((await resolve(REPO, { offline: true })).source).toBe('hf-cache');
  });

  test('another one is an error that says where was looked', async () => {
    const { resolve, options, cache, hub } = await workbench();
    const { 'tokenizer.json': _, ...files } = NEEDED;
    await writeLikePython(cache, { files });
    const failure = await failureOf(resolve(REPO, { offline: true }));
    expect(failure.code).toBe('MODEL_NOT_FOUND');
    expect(failure.message).toBe(
      `HF_HUB_OFFLINE is set and ${REPO}@main is not complete in ` +
        `RunPod's cached models (${options.runpodCache}), ` +
        `the Hugging Face cache (${cache}, lacks tokenizer.json), ` +
        `the network volume (${options.volume})`,
    );
    expect(hub.requests).toEqual([]);
  });

  test('a place that is turned off is not looked at', async () => {
    const { resolve, options, cache } = await workbench();
    await writeLikePython(options.volume!);
    const off = { offline: true, runpodCache: undefined, volume: undefined };
    const failure = await failureOf(resolve(REPO, off));
    expect(failure.message).toContain(`not complete in the Hugging Face cache (${cache})`);
    expect(failure.message).not.toContain('volume');
  });
});

test('a list of names asks for exactly those files', async () => {
  const { options } = await workbench({
    files: { ...whisperRepo().files, 'onnx/model.onnx': EMPTY_WEIGHTS },
  });
  const model = await resolveModel(REPO, ['onnx/model.onnx'], options, NEVER);
  expect(await filesBelow(model.folder)).toEqual(['onnx/model.onnx']);
});
