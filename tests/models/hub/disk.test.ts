import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type Disk, realDisk } from '../../../models/hub/disk.ts';
import {
  digestsIn,
  digestsOf,
  failureOf,
  filesBelow,
  noLocks,
  nothingVisible,
  PIECE_BYTES,
  QUICK,
  REPO,
  WANTED,
  WEIGHT_BYTES,
  whisperRepo,
  workbench,
} from './hub-workbench.ts';

const ALL_WELL = digestsIn(whisperRepo(), WANTED);

describe('a disk that fails', () => {
  const failing = (code: string): Error => Object.assign(new Error(code), { code });

  test('is asked for its free space before the download', async () => {
    const { resolve, hub } = await workbench();
    const disk: Disk = { ...realDisk, freeBytes: () => Promise.resolve(1000) };
    const failure = await failureOf(resolve(REPO, { disk }));
    const needed = WEIGHT_BYTES + 3000 + 2 + 24;
    expect(failure.code).toBe('DISK_FULL');
    expect(failure.message).toContain(`needs ${needed} more bytes`);
    expect(failure.message).toContain('has 1000: enlarge the disk, or set HF_HOME');
    expect(hub.requests.filter(({ file }) => file !== '')).toEqual([]);
  });

  test('may be full in the middle; what is there is used when there is room again', async () => {
    const bench = await workbench();
    const disk: Disk = {
      ...realDisk,
      write: (file, bytes, position) =>
        position > 3 * PIECE_BYTES
          ? Promise.reject(failing('ENOSPC'))
          : realDisk.write(file, bytes, position),
    };
    const failure = await failureOf(
      bench.resolve(REPO, { disk, tuning: { ...QUICK, connections: 1 } }),
    );
    expect(failure.code).toBe('DISK_FULL');
    expect(await nothingVisible(bench)).toBe(true);
    expect(await noLocks(bench)).toBe(true);
    const before = bench.hub.requests.length;
    expect(await digestsOf(await bench.resolve())).toEqual(ALL_WELL);
    const ranges = bench.hub.requests.slice(before).flatMap(({ range }) => range ?? []);
    expect(ranges.every((range) => Number(/\d+/.exec(range)![0]) >= 3 * PIECE_BYTES)).toBe(true);
  });

  test.each(['EROFS', 'EACCES'])('may be closed to us (%s)', async (code) => {
    const { resolve, hub } = await workbench();
    const disk: Disk = { ...realDisk, prepareFolder: () => Promise.reject(failing(code)) };
    const failure = await failureOf(resolve(REPO, { disk }));
    expect(failure.code).toBe('MODEL_CACHE_READ_ONLY');
    expect(failure.message).toContain('set HF_HOME or MODEL_VOLUME to a folder that can');
    expect(hub.requests).toEqual([]);
  });
});

test('what a power cut would take is on the disk before anything shows it', async () => {
  const events: string[] = [];
  const bench = await workbench();
  const disk: Disk = {
    ...realDisk,
    flush: async (file) => {
      const names = await filesBelow(join(bench.repoFolder, 'blobs'));
      const { size } = await file.stat();
      events.push(`${size} bytes, seen: ${names.some((name) => /^[0-9a-f]{64}$/.test(name))}`);
    },
    flushFolder: (folder) => Promise.resolve(void events.push(folder)),
  };
  await bench.resolve(REPO, { disk });
  const folder = join(bench.repoFolder, 'blobs');
  expect(events.slice(-2)).toEqual([`${WEIGHT_BYTES} bytes, seen: false`, folder]);
  expect(events.filter((event) => event === folder)).toHaveLength(WANTED.length);
});

test('writing that takes longer than a host may be silent is no silence of the host', async () => {
  const { resolve, retries } = await workbench();
  let isSlow = true;
  const disk: Disk = {
    ...realDisk,
    write: async (file, bytes, position) => {
      if (position === 0 && bytes.length > 10_000 && isSlow) {
        isSlow = false;
        await new Promise((done) => setTimeout(done, 700));
      }
      await realDisk.write(file, bytes, position);
    },
  };
  const tuning = { ...QUICK, stallMs: 300 };
  expect(await digestsOf(await resolve(REPO, { disk, tuning }))).toEqual(ALL_WELL);
  expect([isSlow, retries]).toEqual([false, []]);
});
