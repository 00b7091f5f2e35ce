import { chmod, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { findFfmpeg } from '../../../audio/ffmpeg-path.ts';
import { runFfmpeg } from '../../../audio/ffmpeg-process.ts';
import { SttError } from '../../../core/errors.ts';
import {
  createWorkbench,
  expectCode,
  testWithFfmpeg,
  type Workbench,
} from '../../fakes/audio-workbench.ts';
import { encodeSilence } from '../../fakes/tones.ts';
import { noise, wavBytes } from '../../fakes/wav-bytes.ts';

let bench: Workbench;
beforeEach(async () => {
  bench = await createWorkbench();
});
afterEach(async () => {
  await bench.expectNothingLeft().finally(bench.remove);
});

/** A shell script in the place of ffmpeg, which lists nothing before it decodes. */
async function fakeFfmpeg(script: string): Promise<string> {
  const path = join(bench.folder, 'ffmpeg');
  const listing = 'case "$*" in *-map*) ;; *) exit 1 ;; esac';
  await writeFile(path, `#!/bin/sh\n${listing}\n${script}\n`);
  await chmod(path, 0o755);
  return path;
}

/** A block of Matroska with one sample, and one with 256, as ffmpeg writes them. */
const ONE_SAMPLE = "printf '\\243\\210\\201\\000\\000\\000abcd'";
const SAMPLES = "printf '\\243\\104\\004\\201\\000\\000\\000%01024d' 0";

const needsFfmpeg = () => bench.write('8k.wav', wavBytes(noise(8000), { rateHz: 8000 }));
const isRunning = async (pid: string): Promise<boolean> => {
  const status = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => ') Z');
  return !/\) [ZX]/.test(status);
};

test('a hanging ffmpeg is DECODE_TIMEOUT and is killed with its children', async () => {
  const pidFile = join(bench.folder, 'pids');
  const ffmpegPath = await fakeFfmpeg(`/bin/sleep 60 & echo $! $$ > ${pidFile}; wait`);
  const path = await needsFfmpeg();
  await expectCode(bench.open(path, { ffmpegPath, decodeTimeoutMs: 300 }), 'DECODE_TIMEOUT');
  await wait(50);
  for (const pid of (await readFile(pidFile, 'utf8')).trim().split(' ')) {
    expect(await isRunning(pid)).toBe(false);
  }
});

test('a wrapper that ends before its ffmpeg does is DECODE_TIMEOUT too', async () => {
  const pidFile = join(bench.folder, 'pid');
  const ffmpegPath = await fakeFfmpeg(`/bin/sleep 60 & echo $! > ${pidFile}`);
  const path = await needsFfmpeg();
  await expectCode(bench.open(path, { ffmpegPath, decodeTimeoutMs: 300 }), 'DECODE_TIMEOUT');
  await wait(50);
  expect(await isRunning((await readFile(pidFile, 'utf8')).trim())).toBe(false);
});

test('aborting while ffmpeg decodes is JOB_CANCELLED at once', async () => {
  const controller = new AbortController();
  const ffmpegPath = await fakeFfmpeg(`while :; do ${SAMPLES}; done`);
  const limits = { ffmpegPath, maxSec: 36_000 };
  const opening = bench.open(await needsFfmpeg(), limits, controller.signal);
  setTimeout(() => controller.abort(), 100);
  const startedAtMs = performance.now();
  await expectCode(opening, 'JOB_CANCELLED');
  expect(performance.now() - startedAtMs).toBeLessThan(2000);
});

testWithFfmpeg('aborting the real ffmpeg in the middle leaves nothing', async () => {
  const path = join(bench.root, 'long.flac');
  await encodeSilence(path, 1800);
  const controller = new AbortController();
  const opening = bench.open(path, { maxSec: 3600 }, controller.signal);
  setTimeout(() => controller.abort(), 60);
  await expectCode(opening, 'JOB_CANCELLED');
});

test('a reason of ours survives the abort', async () => {
  const controller = new AbortController();
  const ffmpegPath = await fakeFfmpeg('exec /bin/sleep 60');
  const opening = bench.open(await needsFfmpeg(), { ffmpegPath }, controller.signal);
  setTimeout(() => controller.abort(new SttError('SHUTTING_DOWN', 'The worker stops')), 50);
  await expectCode(opening, 'SHUTTING_DOWN');
});

test('an ffmpeg that writes without end is stopped at the length limit', async () => {
  const ffmpegPath = await fakeFfmpeg(`while :; do ${SAMPLES}; done`);
  await expectCode(bench.open(await needsFfmpeg(), { ffmpegPath, maxSec: 1 }), 'AUDIO_TOO_LONG');
});

test('an ffmpeg that complains without end is drained: only its first and last lines are kept', async () => {
  const ffmpegPath = await fakeFfmpeg(
    'line=$(printf "%01000d" 0); for n in $(seq 2000); do echo $n $line >&2; done; exit 1',
  );
  const call = { ffmpegPath, argv: ['-map'], workingFolder: bench.folder, timeoutMs: 10_000 };
  const exit = await runFfmpeg(
    { ...call, argv: ['-map'] },
    async () => undefined,
    new AbortController().signal,
  );
  expect(exit.exitCode).toBe(1);
  expect(exit.complaints.length).toBe(100);
  expect(exit.complaints.map((line) => line.length)).toEqual(Array(100).fill(400));
  expect([exit.complaints[0], exit.complaints.at(-1)]).toEqual([
    expect.stringMatching(/^1 0/),
    expect.stringMatching(/^2000 0/),
  ]);
});

test('a crash is AUDIO_UNDECODABLE', async () => {
  const ffmpegPath = await fakeFfmpeg('kill -SEGV $$');
  await expectCode(bench.open(await needsFfmpeg(), { ffmpegPath }), 'AUDIO_UNDECODABLE');
});

test('what was decoded before a crash is kept', async () => {
  const ffmpegPath = await fakeFfmpeg(`${ONE_SAMPLE}; ${ONE_SAMPLE}; kill -SEGV $$`);
  const waveform = await bench.open(await needsFfmpeg(), { ffmpegPath });
  expect(waveform.sampleCount).toBe(2);
  await waveform.close();
});

test('ffmpeg gets no environment, no input and no option from a file name', async () => {
  const report = join(bench.folder, 'report');
  const ffmpegPath = await fakeFfmpeg(
    `/usr/bin/env > ${report}; echo "argv: $*" >> ${report}; cat >> ${report}; ${ONE_SAMPLE}`,
  );
  await bench.write('-i http: x.wav', wavBytes(noise(800), { rateHz: 8000 }));
  await (await bench.open('-i http: x.wav', { ffmpegPath })).close();
  const seen = await readFile(report, 'utf8');
  expect(seen).not.toMatch(/^(HOME|NODE_|VITEST)/m);
  expect(seen).toContain(`-i file:${bench.root}/-i http: x.wav`);
  expect(seen).toContain('-protocol_whitelist file,pipe -format_whitelist wav');
});

test('an ffmpeg that writes something other than samples is AUDIO_UNDECODABLE', async () => {
  const ffmpegPath = await fakeFfmpeg('while :; do echo 0123456789abcdef; done');
  await expectCode(bench.open(await needsFfmpeg(), { ffmpegPath }), 'AUDIO_UNDECODABLE');
});

test('a configured ffmpeg that cannot run is FFMPEG_MISSING, not replaced', async () => {
  const path = await needsFfmpeg();
  for (const ffmpegPath of ['/nowhere/ffmpeg', 'ffmpeg', bench.root, path]) {
    const error = await expectCode(bench.open(path, { ffmpegPath }), 'FFMPEG_MISSING');
    expect(error.message).toContain('FFMPEG_PATH');
  }
});

test('a file that is executable but no program is FFMPEG_MISSING', async () => {
  const ffmpegPath = join(bench.folder, 'ffmpeg');
  await writeFile(ffmpegPath, '#!/nowhere/interpreter\n');
  await chmod(ffmpegPath, 0o755);
  await expectCode(bench.open(await needsFfmpeg(), { ffmpegPath }), 'FFMPEG_MISSING');
});

testWithFfmpeg('without configuration an absolute path is found', async () => {
  expect(await findFfmpeg(undefined)).toMatch(/^\/.*ffmpeg$/);
});

testWithFfmpeg('limits need not be whole numbers, nor fit a timer', async () => {
  const path = await needsFfmpeg();
  for (const maxSec of [1.0123456, 1e9]) await (await bench.open(path, { maxSec })).close();
});
