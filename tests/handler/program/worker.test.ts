import { readFileSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { PROJECT_ROOT, type Program, startProgram } from '../../fakes/program.ts';
import { FakeRunpodApi } from '../../fakes/runpod-api.ts';

/** One real worker process on the embedded models, driven by the queue protocol. */
const SAMPLE = readFileSync(join(PROJECT_ROOT, 'samples/meeting-en.wav'));
const RECORDING = 'meetings/meeting-en.wav';
const jobs: Record<string, object> = {
  path: { audio_url: RECORDING, meeting_id: 'm1', tenant_id: 't1', language: 'en' },
  inline: { audio_base64: shortSample(10).toString('base64') },
  korean: { audio_url: RECORDING, language: 'ko' },
  misspelt: { audio_url: RECORDING, langauge: 'en' },
  escape: { audio_url: '../package.json' },
  text: { audio_base64: Buffer.from('not audio at all').toString('base64') },
};

let api: FakeRunpodApi;
let folder: string;
let spool: string;
let worker: Program;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'stt-worker-'));
  spool = join(folder, 'spool');
  await mkdir(spool);
  await mkdir(join(folder, 'root/meetings'), { recursive: true });
  await writeFile(join(folder, 'root', RECORDING), shortSample(20));
  const takes = Object.entries(jobs).map(([id, input]) => ({ status: 200, body: { id, input } }));
  api = await FakeRunpodApi.start({ takes, idle_delay: 3600, stop_delay: 3600 });
  worker = startProgram([], {
    env: {
      ...api.environment(),
      AUDIO_ROOT: join(folder, 'root'),
      SPOOL_DIR: spool,
      RUNPOD_CONCURRENCY: '1',
      RUNPOD_SKIP_AUTO_SYSTEM_CHECKS: 'true',
    },
  });
  await api.until(() => Object.keys(jobs).every((id) => finalOf(id) !== undefined));
}, 120_000);

afterAll(async () => {
  worker.child.kill('SIGKILL');
  await worker.ended;
  await api.close();
  await rm(folder, { recursive: true });
});

interface Posted {
  readonly status?: string;
  readonly output?: Record<string, unknown>;
  readonly error?: { readonly code: string };
}

function finalOf(id: string): Posted | undefined {
  return (api.posted(id) as Posted[]).find(({ status }) => status === undefined);
}

/** The first seconds of the sample. */
function shortSample(seconds: number): Buffer {
  return SAMPLE.subarray(0, 44 + seconds * 32_000);
}

test('the engine is warm before the first job is taken', () => {
  expect(api.on('take')[0]!.url).toContain('job_in_progress=0');
  expect(api.requests.every(({ url }) => !url.includes('unhealthy'))).toBe(true);
});

test('a recording below AUDIO_ROOT becomes the result that the contract describes', () => {
  const result = finalOf('path')!.output!;
  expect(result['transcript']).toMatch(/^Good morning everyone/);
  expect(result).toMatchObject({ meeting_id: 'm1', tenant_id: 't1', language: 'en' });
  expect(result['total_segments']).toBe((result['segments'] as []).length);
});

test('audio inside the job is transcribed too', () => {
  expect(finalOf('inline')!.output!['transcript']).toMatch(/speech engine is ready/);
});

test('progress was posted while a job ran', () => {
  const progress = (api.posted('path') as Posted[]).filter(({ status }) => status !== undefined);
  expect(progress.length).toBeGreaterThan(0);
  expect(progress.at(-1)).toMatchObject({ status: 'IN_PROGRESS' });
});

test.each([
  ['korean', 'LANGUAGE_UNSUPPORTED'],
  ['misspelt', 'INPUT_INVALID'],
  ['escape', 'PATH_FORBIDDEN'],
  ['text', 'AUDIO_UNSUPPORTED'],
])('job %s fails with %s', (id, code) => {
  expect(finalOf(id)!.error).toMatchObject({ code, retryable: false });
});

test('nothing is left in the spool, and SIGTERM ends the worker with 0 and clean logs', async () => {
  expect(await readdir(spool)).toEqual([]);
  worker.child.kill('SIGTERM');
  const { exitCode, stdout } = await worker.ended;
  expect(exitCode).toBe(0);
  const lines = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as object);
  expect(lines).toContainEqual(
    expect.objectContaining({ message: 'job completed', requestId: 'path' }),
  );
  expect(lines).toContainEqual(
    expect.objectContaining({
      message: 'engine ready',
      device: 'cpu',
      stagesMs: {
        build: expect.any(Number),
        load: expect.any(Number),
        warmUp: expect.any(Number),
      },
    }),
  );
  expect(lines).toContainEqual(
    expect.objectContaining({ message: 'engine used', windows: expect.any(Number), batchSize: 8 }),
  );
  expect(stdout).not.toMatch(/Good morning|meeting-en|KEY123/);
}, 30_000);
