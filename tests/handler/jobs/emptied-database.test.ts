import { mkdir, mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openStore } from '../../../handler/store/open-store.ts';

let dataDir: string;
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'stt-emptied-'));
});
afterEach(() => rm(dataDir, { recursive: true }));

const open = () =>
  openStore({ dataDir, databaseUrl: undefined, retentionMs: 1000, leaseMs: 1000 }, (error) => {
    throw error;
  });

async function usedBefore(): Promise<void> {
  await (await open()).close();
  await (await open()).close();
  await mkdir(join(dataDir, 'uploads'), { recursive: true });
  await writeFile(join(dataDir, 'uploads', 'recording'), 'of an accepted job');
}

test.each([
  ['truncated', () => truncate(join(dataDir, 'jobs.db'), 0)],
  ['removed', () => rm(join(dataDir, 'jobs.db'))],
])(
  'a database that was %s is not taken for a new one, at the second try neither',
  async (_, harm) => {
    await usedBefore();
    await harm();
    for (let start = 0; start < 2; start += 1) {
      await expect(open()).rejects.toMatchObject({
        code: 'STORE_UNAVAILABLE',
        message: expect.stringContaining('empty and was not'),
      });
    }
  },
);

test('a folder without anything begins anew', async () => {
  await usedBefore();
  await rm(dataDir, { recursive: true });
  await (await open()).close();
});
