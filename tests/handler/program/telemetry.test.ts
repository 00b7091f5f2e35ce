import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { PROJECT_ROOT } from '../../fakes/program.ts';

const folder = mkdtempSync(join(tmpdir(), 'stt-telemetry-'));
afterAll(() => rm(folder, { recursive: true }));

const LOADER = join(PROJECT_ROOT, 'scripts/typescript.mjs');
const SAMPLE_JOB = ['--import', LOADER, join(PROJECT_ROOT, 'handler/main.ts')];
const NETWORK = join(PROJECT_ROOT, 'models/embedded/silero-vad/silero_vad_16k_sequence.onnx');
/** The runtime as any program has it that does not set the variable. */
const BARE_RUNTIME = [
  '-e',
  `require('onnxruntime-node').InferenceSession.create(${JSON.stringify(NETWORK)})`,
];

const strace = spawnSync('strace', ['-qq', '-e', 'trace=none', 'true']);
const straceMissing =
  strace.status === 0 ? '' : ' [the connections are not observed: strace cannot run here]';

function filesOf(home: string): string[] {
  return readdirSync(home, { recursive: true, encoding: 'utf8' });
}

function run(argv: readonly string[]): { readonly home: string; readonly sockets: string[] } {
  const home = mkdtempSync(join(folder, 'home-'));
  const calls = join(folder, 'calls.log');
  const traced = ['-f', '-qq', '--seccomp-bpf', '-e', 'trace=socket', '-o', calls];
  const [command, ...rest] = [...(straceMissing ? [] : ['strace', ...traced]), process.execPath];
  execFileSync(command!, [...rest, ...argv], {
    cwd: PROJECT_ROOT,
    env: { PATH: process.env['PATH'], HOME: home, SPOOL_DIR: folder },
    stdio: ['ignore', 'ignore', 'ignore'],
  });
  const lines = straceMissing ? [] : readFileSync(calls, 'utf8').split('\n');
  return { home, sockets: lines.filter((line) => line.includes('AF_INET')) };
}

test(`the sample job opens no connection and writes nothing into the home${straceMissing}`, () => {
  const { home, sockets } = run(SAMPLE_JOB);
  expect(sockets).toEqual([]);
  expect(filesOf(home)).toEqual([]);
}, 60_000);

test('the runtime by itself would leave a device id in the home', () => {
  const { home } = run(BARE_RUNTIME);
  expect(filesOf(home).some((path) => path.endsWith('deviceid'))).toBe(true);
});
