import { lstat, mkdir, readFile, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { DownloadProgress } from '../../../models/hub/options.ts';
import { resolveModel } from '../../../models/hub/resolve-model.ts';
import { ACCEPTED_TOKEN, COMMIT, etagOf } from '../../fakes/hub-server.ts';
import {
  bytesSentTwice,
  content,
  digestsIn,
  digestsOf,
  failureOf,
  filesBelow,
  NEVER,
  QUICK,
  REPO,
  WANTED,
  WEIGHT_BYTES,
  whisperRepo,
  workbench,
} from './hub-workbench.ts';

describe('downloading a model', () => {
  test('brings the files of the repository, and only those that are needed', async () => {
    const { hub, resolve } = await workbench();
    const model = await resolve();
    expect(model).toMatchObject({ revision: COMMIT, source: 'download' });
    expect(await digestsOf(model)).toEqual(digestsIn(whisperRepo(), WANTED));
    const asked = new Set(hub.requests.map(({ file }) => file));
    expect([...asked].filter((file) => file !== '').sort()).toEqual(WANTED);
  });

  test('leaves a cache as Python writes it: blobs by ETag, relative links, the branch', async () => {
    const { repoFolder, cache, resolve } = await workbench();
    const model = await resolve();
    const { files } = whisperRepo();
    const etags = WANTED.map((path) => etagOf(path, files[path]!));
    expect(await filesBelow(repoFolder)).toEqual(
      [
        ...etags.map((etag) => `blobs/${etag}`),
        'refs/main',
        ...WANTED.map((path) => `snapshots/${COMMIT}/${path}`),
      ].sort(),
    );
    for (const [i, path] of WANTED.entries()) {
      expect(await readlink(join(model.folder, path))).toBe(`../../blobs/${etags[i]}`);
    }
    expect(await readFile(join(repoFolder, 'refs/main'), 'utf8')).toBe(COMMIT);
    expect((await lstat(cache)).isDirectory()).toBe(true);
    expect(await filesBelow(join(cache, '.locks'))).toEqual([]);
  });

  test('asks nothing the second time', async () => {
    const { hub, resolve } = await workbench();
    const first = await resolve();
    const requests = hub.requests.length;
    expect(await resolve()).toEqual({ ...first, source: 'hf-cache' });
    expect(hub.requests).toHaveLength(requests);
  });

  test('fetches only what a cache lacks that another program has begun', async () => {
    const { hub, options, resolve } = await workbench();
    await resolveModel(REPO, ['model.safetensors'], options, NEVER);
    await resolve();
    expect(bytesSentTwice(hub, 'model.safetensors')).toBe(0);
  });

  test('takes the shards that the index names, in folders too', async () => {
    const index = {
      weight_map: { a: 'model-00001-of-00002.safetensors', b: 'deep/model-00002.safetensors' },
    };
    const { 'model.safetensors': _, ...others } = whisperRepo().files;
    const { resolve, hub } = await workbench({
      files: {
        ...others,
        'model.safetensors.index.json': Buffer.from(JSON.stringify(index)),
        'model-00001-of-00002.safetensors': content('one', 1000),
        'deep/model-00002.safetensors': content('two', 1000),
        'model-00003-of-00002.safetensors': content('three', 1000),
      },
    });
    const model = await resolve();
    const found = await filesBelow(model.folder);
    expect(found).toContain('model-00001-of-00002.safetensors');
    expect(found).toContain('model.safetensors.index.json');
    expect(found).not.toContain('model-00003-of-00002.safetensors');
    expect(await readlink(join(model.folder, 'deep/model-00002.safetensors'))).toMatch(
      /^\.\.\/\.\.\/\.\.\/blobs\//,
    );
    expect((await resolve()).source).toBe('hf-cache');
    expect(hub.requests.filter(({ file }) => file.endsWith('index.json'))).toHaveLength(2);
  });

  test('names a required file that the repository does not have', async () => {
    const { 'tokenizer.json': _, ...files } = whisperRepo().files;
    const { resolve, repoFolder } = await workbench({ files });
    const failure = await failureOf(resolve());
    expect(failure.code).toBe('MODEL_NOT_FOUND');
    expect(failure.message).toContain('has no tokenizer.json');
    expect(await filesBelow(join(repoFolder, 'snapshots'))).toEqual([]);
  });

  test('sends the token to the Hub and never to where it redirects', async () => {
    const { hub, resolve } = await workbench();
    await resolve(REPO, { token: 'token-of-a-private-hub' });
    const seen = (server: 'hub' | 'cdn') =>
      new Set(hub.requests.filter((r) => r.server === server).map((r) => r.authorization));
    expect(seen('hub')).toEqual(new Set(['Bearer token-of-a-private-hub']));
    expect(seen('cdn')).toEqual(new Set([undefined]));
  });

  test('fetches several ranges of a file at once, each byte once, and never too many', async () => {
    const { hub, resolve } = await workbench();
    hub.fail({ on: 'content', times: 20, kind: { bytesPerSec: 1_000_000 } });
    await resolve();
    const ranges = hub.requests.filter(({ server }) => server === 'cdn').map(({ range }) => range);
    expect(ranges).toHaveLength(7);
    expect(ranges).toContain(`bytes=${6 * QUICK.pieceBytes}-${WEIGHT_BYTES - 1}`);
    expect(bytesSentTwice(hub, 'model.safetensors')).toBe(0);
    expect(hub.mostAtOnce).toBeGreaterThan(1);
    expect(hub.mostAtOnce).toBeLessThanOrEqual(QUICK.connections);
  });

  test('asks the Hub once where a file is, not once per range', async () => {
    const { hub, resolve } = await workbench();
    await resolve();
    const asked = hub.requests.filter((r) => r.server === 'hub' && r.file === 'model.safetensors');
    expect(asked).toHaveLength(1);
  });

  test('takes the whole file at once from a server that ignores ranges', async () => {
    const { hub, resolve } = await workbench();
    hub.fail({ on: 'content', times: 99, kind: { ignoreRange: true } });
    const model = await resolve();
    expect(await digestsOf(model)).toEqual(digestsIn(whisperRepo(), WANTED));
    expect(hub.requests.filter(({ server }) => server === 'cdn')).toHaveLength(1);
  });

  test('fetches two files with the same content once', async () => {
    const { 'config.json': config } = whisperRepo().files;
    const { hub, resolve } = await workbench(whisperRepo({ 'generation_config.json': config! }));
    const waits: string[] = [];
    const model = await resolve(REPO, { hooks: { onWait: (file) => waits.push(file) } });
    expect(await filesBelow(model.folder)).toEqual(WANTED);
    expect(hub.requests.filter(({ file }) => file.endsWith('config.json'))).toHaveLength(2);
    expect(waits).toEqual([]);
  });

  test('brings an empty file', async () => {
    const { resolve } = await workbench(whisperRepo({ 'generation_config.json': Buffer.alloc(0) }));
    const model = await resolve();
    expect(await readFile(join(model.folder, 'generation_config.json'))).toHaveLength(0);
  });

  test('takes the revision that is named: a pull request, a commit', async () => {
    const other = 'beef'.padEnd(40, '1');
    const revisions = { main: COMMIT, 'refs/pr/2': other };
    const { resolve, repoFolder } = await workbench({ ...whisperRepo(), revisions });
    expect((await resolve(`${REPO}@refs/pr/2`)).revision).toBe(other);
    expect(await readFile(join(repoFolder, 'refs/refs/pr/2'), 'utf8')).toBe(other);
    expect((await resolve(`${REPO}@${COMMIT}`)).revision).toBe(COMMIT);
    expect(await filesBelow(join(repoFolder, 'refs'))).toEqual(['refs/pr/2']);
    expect((await resolve(`${REPO}@refs/pr/2`)).source).toBe('hf-cache');
  });

  test('reports the progress of every file up to its size', async () => {
    const { resolve } = await workbench();
    const reports: DownloadProgress[] = [];
    await resolve(REPO, { hooks: { onProgress: (progress) => reports.push(progress) } });
    for (const file of WANTED) {
      const ofFile = reports.filter((report) => report.file === file);
      const done = ofFile.map(({ doneBytes }) => doneBytes);
      expect(done).toEqual([...done].sort((one, other) => one - other));
      expect(done.at(-1)).toBe(ofFile[0]!.totalBytes);
    }
    expect(reports.some(({ bytesPerSec }) => bytesPerSec > 0)).toBe(true);
  });

  test('reads a gated model with a token of an account that has accepted the licence', async () => {
    const { resolve } = await workbench({ ...whisperRepo(), gated: true });
    expect((await resolve(REPO, { token: ACCEPTED_TOKEN })).source).toBe('download');
  });

  test('writes to the network volume if one is mounted', async () => {
    const { resolve, options, root } = await workbench();
    await mkdir(join(root, 'runpod-volume'));
    expect((await resolve()).folder.startsWith(options.volume!)).toBe(true);
    expect((await resolve()).source).toBe('volume');
  });
});
