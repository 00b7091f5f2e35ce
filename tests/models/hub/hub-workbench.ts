import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, realpath, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { onTestFinished } from 'vitest';
import { loadConfig } from '../../../core/config.ts';
import { SttError } from '../../../core/errors.ts';
import { whisperFiles } from '../../../models/hub/needs.ts';
import type { DownloadRetry, HubOptions, HubTuning } from '../../../models/hub/options.ts';
import { type ResolvedModel, resolveModel } from '../../../models/hub/resolve-model.ts';
import { type FakeRepo, type HubServer, sha256, startHubServer } from '../../fakes/hub-server.ts';

export const REPO = 'someone/whisper-small-test';
export const PIECE_BYTES = 64 * 1024;
/** Seven pieces, the last one short. */
export const WEIGHT_BYTES = 6 * PIECE_BYTES + 1234;

/** Retries within milliseconds, and every byte written down. */
export const QUICK: HubTuning = {
  connections: 4,
  pieceBytes: PIECE_BYTES,
  attempts: 4,
  backoffMs: 5,
  maxWaitMs: 3000,
  stallMs: 1000,
  reachMs: 300,
  saveEveryMs: 0,
  progressEveryMs: 0,
  lockStaleMs: 2500,
  lockPollMs: 10,
};

/** The same bytes for the same name, without a pattern that could hide a wrong position. */
export function content(name: string, lengthBytes: number): Buffer {
  const blocks: Buffer[] = [];
  for (let block = 0; block * 32 < lengthBytes; block += 1) {
    blocks.push(createHash('sha256').update(`${name} ${block}`).digest());
  }
  return Buffer.concat(blocks, lengthBytes);
}

/** A Whisper repository with all that is not wanted beside what is. */
export const whisperRepo = (extra: FakeRepo['files'] = {}): FakeRepo => ({
  files: {
    'README.md': Buffer.from('a model'),
    'config.json': Buffer.from('{"model_type":"whisper"}'),
    'generation_config.json': Buffer.from('{}'),
    'tokenizer.json': content('tokenizer', 3000),
    'model.safetensors': content('weights', WEIGHT_BYTES),
    'pytorch_model.bin': content('pickle', 2000),
    'flax_model.msgpack': content('flax', 2000),
    'model.fp32-00001-of-00002.safetensors': content('fp32 1', 2000),
    'model.safetensors.index.fp32.json': Buffer.from('{"weight_map":{}}'),
    ...extra,
  },
});

export interface Workbench {
  readonly hub: HubServer;
  readonly root: string;
  readonly cache: string;
  readonly repoFolder: string;
  readonly options: HubOptions;
  readonly retries: DownloadRetry[];
  resolve(reference?: string, changes?: Partial<HubOptions>): Promise<ResolvedModel>;
}

/** A hub with one model, and an empty cache; both gone after the test. */
export async function workbench(repo: FakeRepo = whisperRepo(), name = REPO): Promise<Workbench> {
  const hub = await startHubServer({ [name]: repo });
  const root = await temporaryFolder();
  onTestFinished(() => hub.close());
  const cache = join(root, 'hub');
  const retries: DownloadRetry[] = [];
  const options: HubOptions = {
    ...loadConfig({}).hub,
    endpoint: hub.endpoint,
    home: join(root, 'home'),
    cache,
    runpodCache: join(root, 'runpod-volume/huggingface-cache/hub'),
    volume: join(root, 'runpod-volume/stt-models'),
    tuning: QUICK,
    hooks: { onRetry: (retry) => retries.push(retry) },
  };
  return {
    hub,
    root,
    cache,
    repoFolder: join(cache, `models--${name.replace('/', '--')}`),
    options,
    retries,
    resolve: (reference = name, changes = {}) =>
      resolveModel(reference, whisperFiles, { ...options, ...changes }, NEVER),
  };
}

export const NEVER = new AbortController().signal;

export async function temporaryFolder(): Promise<string> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'hub-test-')));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** Paths of all files and links below a folder, sorted; none if it does not exist. */
export async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  return entries
    .filter((entry) => !entry.isDirectory())
    .map(({ parentPath, name }) => relative(folder, join(parentPath, name)))
    .sort();
}

/** SHA-256 of every file of a resolved model. */
export async function digestsOf({ folder }: ResolvedModel): Promise<Record<string, string>> {
  const files = await filesBelow(folder);
  return Object.fromEntries(
    await Promise.all(
      files.map(async (file) => [file, sha256(await readFile(join(folder, file)))]),
    ),
  );
}

/** The same of what a fake repository would serve. */
export const digestsIn = ({ files }: FakeRepo, paths: readonly string[]): Record<string, string> =>
  Object.fromEntries(paths.map((path) => [path, sha256(files[path]!)]));

/** The files that a Whisper needs. */
export const WANTED = [
  'config.json',
  'generation_config.json',
  'model.safetensors',
  'tokenizer.json',
];

/** Bytes of a file that left the server more than once. */
export function bytesSentTwice(hub: HubServer, file: string): number {
  const ranges = hub.requests
    .filter((request) => request.file === file)
    .flatMap(({ sent }) => sent);
  ranges.sort(([one], [other]) => one - other);
  let twice = 0;
  let reached = 0;
  for (const [start, end] of ranges) {
    twice += Math.max(0, Math.min(reached, end) - start);
    reached = Math.max(reached, end);
  }
  return twice;
}

export const bytesSent = (hub: HubServer, file: string): number =>
  hub.requests
    .filter((request) => request.file === file)
    .flatMap(({ sent }) => sent)
    .reduce((sum, [start, end]) => sum + end - start, 0);

/** The error that a promise ends with. */
export async function failureOf(work: Promise<unknown>): Promise<SttError> {
  const outcome = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (outcome instanceof SttError) return outcome;
  throw new Error(`Expected an SttError, got ${String(outcome)}`, { cause: outcome });
}

export async function until(isTrue: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isTrue())) await new Promise((resolve) => setTimeout(resolve, 5));
}

export const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );

/** Nothing that a reader could take for a model. */
export const nothingVisible = async ({ repoFolder }: Workbench): Promise<boolean> => {
  const visible = [...(await filesBelow(join(repoFolder, 'snapshots')))];
  return visible.length === 0 && !(await exists(join(repoFolder, 'refs/main')));
};

export const noLocks = async ({ cache }: Workbench): Promise<boolean> =>
  (await filesBelow(join(cache, '.locks'))).length === 0;
