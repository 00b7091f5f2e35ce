import { spawn } from 'node:child_process';
import { mkdir, open, readdir, stat, symlink, utimes, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createSpoolFolder, sweepSpool, writeAt } from '../../../audio/spool.ts';
import {
  createWorkbench,
  expectCode,
  FULL_DEVICE,
  testWithFullDevice,
  type Workbench,
} from '../../fakes/audio-workbench.ts';

const HOST = hostname().replace(/\W/g, '_');

let bench: Workbench;
beforeEach(async () => {
  bench = await createWorkbench();
});
afterEach(() => bench.remove());

async function deadPid(): Promise<number> {
  const child = spawn('/bin/true');
  await new Promise((resolve) => child.once('close', resolve));
  return child.pid ?? 0;
}

async function makeFolder(name: string): Promise<string> {
  const path = join(bench.spoolDir, name);
  await mkdir(path, { recursive: true });
  await writeFile(join(path, 'audio'), 'left over');
  return path;
}

test('a spool folder and its files belong to the owner alone', async () => {
  const spool = await createSpoolFolder(bench.spoolDir);
  const file = await spool.createFile();
  expect((await stat(spool.path)).mode & 0o777).toBe(0o700);
  expect((await stat(file.path)).mode & 0o777).toBe(0o600);
  await spool.remove();
});

test('removing a spool folder closes its files, and twice is once', async () => {
  const spool = await createSpoolFolder(bench.spoolDir);
  await spool.createFile();
  await spool.createFile();
  await Promise.all([spool.remove(), spool.remove()]);
  await spool.remove();
  await bench.expectNothingLeft();
});

test('the sweep removes folders of dead processes and of a predecessor with our pid', async () => {
  await makeFolder(`stt-spool-${HOST}-${await deadPid()}-abcdef`);
  await makeFolder(`stt-spool-${HOST}-${process.pid}-abcdef`);
  expect(await sweepSpool(bench.spoolDir)).toBe(2);
  expect(await readdir(bench.spoolDir)).toEqual([]);
});

test('the sweep keeps what is ours, of a living process, of another host or of another name', async () => {
  const own = await createSpoolFolder(bench.spoolDir);
  await makeFolder(`stt-spool-${HOST}-${process.ppid}-abcdef`);
  await makeFolder('stt-spool-elsewhere-999999-abcdef');
  await makeFolder(`stt-spool-${HOST}-${await deadPid()}-abcdef.backup`);
  await makeFolder('holiday-pictures');
  await symlink(bench.root, join(bench.spoolDir, `stt-spool-${HOST}-${await deadPid()}-abcdef`));
  expect(await sweepSpool(bench.spoolDir)).toBe(0);
  expect(await readdir(bench.spoolDir)).toHaveLength(6);
  await own.remove();
});

test('a folder of another host is swept after a day', async () => {
  const path = await makeFolder('stt-spool-elsewhere-12-abcdef');
  const longAgoSec = Date.now() / 1000 - 25 * 60 * 60;
  await utimes(path, longAgoSec, longAgoSec);
  expect(await sweepSpool(bench.spoolDir)).toBe(1);
});

test('sweeping a folder that does not exist removes nothing', async () => {
  expect(await sweepSpool(join(bench.folder, 'nowhere'))).toBe(0);
});

testWithFullDevice('writing to a full disk is DISK_FULL', async () => {
  const handle = await open(FULL_DEVICE, 'r+');
  await expectCode(writeAt(handle, new Uint8Array(10), 0), 'DISK_FULL');
  await handle.close();
});
