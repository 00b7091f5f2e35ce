import {
  appendFile,
  lutimes,
  mkdir,
  readdir,
  realpath,
  rm,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import {
  listCached,
  removeDamaged,
  removeModel,
  verifySnapshot,
} from '../../../models/hub/cache-inventory.ts';
import { QUANTIZER_VERSION, RepoCache } from '../../../models/hub/cache-layout.ts';
import { thisProcess } from '../../../models/hub/process-identity.ts';
import { pruneLeftovers } from '../../../models/hub/prune.ts';
import { COMMIT } from '../../fakes/hub-server.ts';
import {
  digestsIn,
  digestsOf,
  exists,
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

const WEIGHTS = 'model.safetensors';

async function verdictsOn(folder: string): Promise<Record<string, string>> {
  const verdicts: Record<string, string> = {};
  for await (const { file, verdict } of verifySnapshot(folder, NEVER)) verdicts[file] = verdict;
  return verdicts;
}

describe('the contents of a cache', () => {
  test('are listed with their size and the branches that point to them', async () => {
    const { resolve, cache } = await workbench();
    expect(await listCached(cache)).toEqual([]);
    const { folder } = await resolve();
    const bytes = WEIGHT_BYTES + 3000 + 24 + 2;
    expect(await listCached(cache)).toEqual([
      {
        repo: REPO,
        commit: COMMIT,
        revisions: ['main'],
        isQuantized: false,
        folder,
        files: 4,
        bytes,
      },
    ]);
    const copy = join(cache, `models--${REPO.replace('/', '--')}`, 'stt-quantized', `${COMMIT}-v1`);
    await mkdir(copy, { recursive: true });
    await writeFile(join(copy, 'model.safetensors'), 'in 8 bits');
    await mkdir(`${copy}.partial-of-another`);
    expect((await listCached(cache)).slice(1)).toEqual([
      {
        repo: REPO,
        commit: `${COMMIT}-v1`,
        revisions: [],
        isQuantized: true,
        folder: copy,
        files: 1,
        bytes: 9,
      },
    ]);
  });

  test('are compared with their checksums; what is damaged is fetched again', async () => {
    const { resolve } = await workbench();
    const model = await resolve();
    await appendFile(join(model.folder, 'tokenizer.json'), 'x');
    await writeFile(join(model.folder, 'notes.txt'), 'mine');
    expect(await verdictsOn(model.folder)).toEqual({
      'config.json': 'intact',
      'generation_config.json': 'intact',
      'model.safetensors': 'intact',
      'notes.txt': 'unknown',
      'tokenizer.json': 'damaged',
    });
    await removeDamaged(model.folder, 'tokenizer.json');
    const again = await resolve();
    expect(again.source).toBe('download');
    expect(await digestsOf(again)).toMatchObject(digestsIn(whisperRepo(), WANTED));
  });

  test('lose what an interrupted download left, and nothing else', async () => {
    const { hub, resolve, cache, repoFolder } = await workbench();
    hub.fail({ on: 'content', file: WEIGHTS, times: 1, kind: { cutAfterBytes: 9000 } });
    hub.fail({ on: 'content', file: WEIGHTS, times: 99, kind: { status: 500 } });
    await failureOf(resolve(REPO, { tuning: { ...QUICK, connections: 1 } }));
    const before = await filesBelow(repoFolder);
    expect(before.filter((path) => path.includes('.stt-partial'))).toHaveLength(2);
    expect(await pruneLeftovers(cache)).toBeGreaterThan(0);
    const kept = before.filter((path) => !path.includes('.stt-partial'));
    expect(await filesBelow(repoFolder)).toEqual(kept);
    expect(await pruneLeftovers(cache)).toBe(0);
  });

  test('keep the partial files of a living process, not those of a dead one', async () => {
    const { resolve, cache, repoFolder } = await workbench();
    await resolve();
    const hash = 'a'.repeat(64);
    const partial = join(repoFolder, 'blobs', `${hash}.stt-partial`);
    const lock = new RepoCache(cache, REPO).lock(hash);
    await writeFile(partial, 'some bytes');
    await writeFile(lock, JSON.stringify(thisProcess()));
    await pruneLeftovers(cache);
    expect(await exists(partial)).toBe(true);
    await writeFile(lock, JSON.stringify({ ...thisProcess(), pid: 2 ** 30 }));
    await pruneLeftovers(cache);
    expect(await exists(partial)).toBe(false);
    expect(await exists(lock)).toBe(false);
  });

  test('are no damage where they cannot be read, nor when the reader is interrupted', async () => {
    const { resolve } = await workbench();
    const { folder } = await resolve();
    const stop = new AbortController();
    const interrupted = (async () => {
      for await (const { verdict } of verifySnapshot(folder, stop.signal)) {
        expect(verdict).toBe('intact');
        stop.abort();
      }
    })();
    await expect(interrupted).rejects.toThrow(/abort/);
    const content = await realpath(join(folder, WEIGHTS));
    await rm(content);
    expect((await verdictsOn(folder))[WEIGHTS]).toBe('damaged');
    await mkdir(content); // opens, and cannot be read: EISDIR, as EIO would
    await expect(verdictsOn(folder)).rejects.toMatchObject({ code: 'EISDIR' });
  });

  test('lose copies in 8 bits that are half-made or of an older version, and links in the making', async () => {
    const { resolve, cache, repoFolder } = await workbench();
    await resolve();
    const dead = JSON.stringify({ ...thisProcess(), pid: 2 ** 30 });
    const living = JSON.stringify(thisProcess());
    const now = `v${QUANTIZER_VERSION}`;
    const held = `c-${now}.partial-2/x`;
    for (const folder of [join(cache, 'stt-quantized'), join(repoFolder, 'stt-quantized')]) {
      const inside = [`a-${now}/x`, 'a-v0/x', `b-${now}.partial-1/x`, held, 'd-v0/x'];
      for (const path of inside) await mkdir(join(folder, dirname(path)), { recursive: true });
      for (const path of inside) await writeFile(join(folder, path), 'content');
      await writeFile(join(folder, `b-${now}.stt-lock`), dead);
      await writeFile(join(folder, `c-${now}.stt-lock`), living);
      await writeFile(join(folder, 'd-v0.stt-lock.turn'), dead);
    }
    const links = ['old.stt-new', 'young.stt-new'].map((name) => join(repoFolder, name));
    for (const link of links) await symlink('nowhere', link);
    await lutimes(links[0]!, 1, 1);
    const blob = join(repoFolder, 'blobs', `${'b'.repeat(64)}.stt-partial.json.1-2-3`);
    await writeFile(blob, 'a record in the making');
    expect(await pruneLeftovers(cache)).toBeGreaterThan(0);
    for (const folder of [join(cache, 'stt-quantized'), join(repoFolder, 'stt-quantized')]) {
      expect(await filesBelow(folder)).toEqual([`a-${now}/x`, held, `c-${now}.stt-lock`]);
    }
    expect(await exists(blob)).toBe(false);
    expect((await readdir(repoFolder)).filter((name) => name.endsWith('.stt-new'))).toEqual([
      'young.stt-new',
    ]);
    expect((await filesBelow(join(repoFolder, 'snapshots'))).length).toBe(WANTED.length);
  });

  test('lose a model that is named', async () => {
    const { resolve, cache } = await workbench();
    const { folder } = await resolve();
    expect(await realpath(folder)).toBe(folder);
    await removeModel(cache, REPO);
    expect(await filesBelow(cache)).toEqual([]);
  });
});
