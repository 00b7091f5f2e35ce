import { execFile } from 'node:child_process';
import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createWorkbench, type Workbench } from '../../fakes/audio-workbench.ts';
import { startLoopbackServer } from '../../fakes/loopback-server.ts';

const PROGRAM = '#!/bin/sh\nexit 0\n';

let bench: Workbench;
beforeEach(async () => {
  bench = await createWorkbench();
});
afterEach(() => bench.remove());

/** Runs the script with nothing on the PATH; a failing exit code rejects. */
async function runScript(env: Record<string, string>): Promise<string> {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--import', './scripts/typescript.mjs', 'scripts/ensure-ffmpeg.ts'],
    { env: { PATH: bench.folder, XDG_CACHE_HOME: bench.folder, HOME: bench.folder, ...env } },
  );
  return stdout;
}

/** Where ffmpeg-static believes to be installed, and where it downloads from. */
const bundledAt = (path: string, port: number): Record<string, string> => ({
  FFMPEG_BIN: path,
  FFMPEG_BINARIES_URL: `http://127.0.0.1:${port}`,
});

test('an ffmpeg that is there is named', async () => {
  const path = join(bench.folder, 'ffmpeg');
  await writeFile(path, PROGRAM);
  await chmod(path, 0o755);
  expect(await runScript({ FFMPEG_PATH: path })).toContain(`ffmpeg found: ${path}`);
});

test('a wrong FFMPEG_PATH is told, and nothing is downloaded', async () => {
  const output = await runScript({ FFMPEG_PATH: '/nowhere/ffmpeg' });
  expect(output).toContain('FFMPEG_PATH must be');
  expect(output).not.toContain('downloading');
});

test('a missing ffmpeg is downloaded by ffmpeg-static', async () => {
  const server = await startLoopbackServer((request, response) => {
    response.end(request.url?.endsWith('.gz') ? gzipSync(PROGRAM) : 'text');
  });
  const path = join(bench.folder, 'downloaded');
  const output = await runScript(bundledAt(path, server.port));
  await server.close();
  expect(output).toContain(`ffmpeg installed: ${path}`);
});

test('a failing download is told with what to do, and the exit code is 0', async () => {
  const server = await startLoopbackServer((_request, response) => {
    response.writeHead(404).end();
  });
  const output = await runScript(bundledAt(join(bench.folder, 'never'), server.port));
  await server.close();
  expect(output).toContain('The download failed (exit code 1)');
  expect(output).toContain('apt-get install ffmpeg');
});
