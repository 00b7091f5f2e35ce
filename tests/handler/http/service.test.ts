import { execFile } from 'node:child_process';
import { openAsBlob } from 'node:fs';
import { copyFile, mkdir, mkdtemp, readdir, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { findFfmpeg } from '../../../audio/ffmpeg-path.ts';
import { PROJECT_ROOT } from '../../fakes/program.ts';
import { describeDocuments } from './describe-documents.ts';
import { describeHostile } from './describe-hostile.ts';
import { describeOpenAi } from './describe-openai.ts';
import { type RunningService, startService } from './service-process.ts';

/** The README's examples against a live process on the embedded models: one process for the file. */

const run = promisify(execFile);
const SAMPLE = join(PROJECT_ROOT, 'samples/meeting-en.wav');
const SPOKEN = /Good morning/;
const FORMATS = ['wav', 'mp3', 'm4a', 'flac', 'ogg', 'webm', 'mp4'] as const;
const CODECS: Readonly<Record<string, readonly string[]>> = {
  m4a: ['-c:a', 'aac'],
  mp4: ['-c:a', 'aac'],
  ogg: ['-c:a', 'libopus'],
  webm: ['-c:a', 'libopus'],
};

let folder: string;
let service: RunningService;
const short = (format: string): string => join(folder, `short.${format}`);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'stt-http-test-'));
  await mkdir(join(folder, 'spool'));
  await mkdir(join(folder, 'audio'));
  await symlink(join(PROJECT_ROOT, 'samples'), join(folder, 'samples'));
  const ffmpeg = (await findFfmpeg(undefined)) ?? 'ffmpeg';
  const convert = (format: string) =>
    run(ffmpeg, ['-v', 'error', '-t', '5', '-i', SAMPLE, ...(CODECS[format] ?? []), short(format)]);
  const [started] = await Promise.all([
    startService({
      SPOOL_DIR: join(folder, 'spool'),
      DATA_DIR: join(folder, 'data'),
      AUDIO_ROOT: join(folder, 'audio'),
    }),
    ...FORMATS.map(convert),
  ]);
  // The whole of it is heard once, for the README; elsewhere its beginning does.
  await copyFile(short('wav'), join(folder, 'audio/meeting-en.wav'));
  await symlink(short('mp3'), join(folder, 'meeting.mp3'));
  service = started;
});

afterAll(async () => {
  service?.child.kill('SIGTERM');
  const ended = await service?.ended;
  await rm(folder, { recursive: true, force: true });
  expect(ended?.exitCode).toBe(0);
});

const curl = async (...args: string[]): Promise<string> =>
  (await run('curl', ['-s', ...args])).stdout;

/** What the tests ask of answers; more is let through. */
const Answer = z.looseObject({
  job_id: z.string().optional(),
  transcript: z.string().optional(),
  error: z.looseObject({ code: z.string() }).nullish(),
  jobs: z.looseObject({ running: z.number() }).optional(),
});
const jsonOf = async (response: Response) => Answer.parse(await response.json());

async function post(path: string, fields: Readonly<Record<string, string>>, file?: string) {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) form.append(name, value);
  if (file !== undefined) form.append('file', await openAsBlob(file), 'recording');
  return await fetch(`${service.url}${path}`, { method: 'POST', body: form });
}

describe('the contract', () => {
  test('health, ping and status tell the state, the model and the device', async () => {
    const [health, status] = await Promise.all(
      ['/health', '/stt/status'].map(async (path) => (await fetch(service.url + path)).json()),
    );
    const common = { status: 'ready', model: 'embedded/whisper-tiny.en', device: 'cpu' };
    expect(health).toMatchObject({ ...common, version: expect.any(String) });
    expect(status).toMatchObject({ ...common, languages: ['en'], limits: { max_audio_mb: 100 } });
  });

  test('a path below AUDIO_ROOT is processed as JSON', async () => {
    const json = { audio_url: 'meeting-en.wav', meeting_id: 'm', language: 'en', diarize: false };
    const body = await curl(
      ...['-H', 'Content-Type: application/json', '-d', JSON.stringify(json)],
      `${service.url}/stt/process`,
    );
    expect(JSON.parse(body)).toMatchObject({
      meeting_id: 'm',
      transcript: expect.stringMatching(SPOKEN),
      audio_duration: 5,
    });
  });

  test('a client that asks for events sees progress and then the result', async () => {
    const form = ['-F', `file=@${short('mp3')}`, '-F', 'diarize=no', '-F', 'word_timestamps=0'];
    const events = await curl(
      '-N',
      '-H',
      'Accept: text/event-stream',
      ...form,
      `${service.url}/stt/upload`,
    );
    const names = [...events.matchAll(/^event: (\w+)$/gm)].map(([, name]) => name);
    expect(names[0]).toBe('progress');
    expect(names.at(-1)).toBe('result');
    expect(events).toMatch(SPOKEN);
  });
});

test('an asynchronous job is followed by its events and gives the same result once', async () => {
  const form = ['-F', `file=@${short('ogg')}`, '-F', 'diarize=no', '-F', 'async=true'];
  const submit = () => curl('-H', 'Idempotency-Key: a1', ...form, `${service.url}/stt/upload`);
  const job = Answer.parse(JSON.parse(await submit()));
  expect(job).toMatchObject({ status: expect.stringMatching(/queued|running/), result: null });
  const events = await curl('-N', `${service.url}/stt/jobs/${job.job_id}/events`);
  expect(events).toMatch(/^event: settled$/m);
  const settled = JSON.parse(await curl(`${service.url}/stt/jobs/${job.job_id}`));
  expect(settled).toMatchObject({
    status: 'completed',
    result: { transcript: expect.stringMatching(SPOKEN) },
  });
  expect(JSON.parse(await submit())).toMatchObject({ job_id: job.job_id, status: 'completed' });
});

describe('refusals', () => {
  test.each([
    [{ temperature: 'warm' }, 'wav', 400, 'INPUT_INVALID'],
    [{ langauge: 'en' }, 'wav', 400, 'INPUT_INVALID'],
    [{ audio_url: 'https://example.com/a.mp3' }, 'wav', 400, 'INPUT_INVALID'],
    [{}, undefined, 400, 'INPUT_INVALID'],
    [{ language: 'ko' }, 'wav', 422, 'LANGUAGE_UNSUPPORTED'],
  ] as const)('an upload with %j of %s is %i %s', async (fields, format, status, code) => {
    const response = await post('/stt/upload', { ...fields }, format && short(format));
    expect([response.status, (await jsonOf(response)).error?.code]).toEqual([status, code]);
  });

  test('what is no recording is refused by its first bytes, whatever it is called', async () => {
    const playlist = new Blob(['#EXTM3U\nhttp://127.0.0.1/secret.ts\n'], { type: 'audio/wav' });
    const form = new FormData();
    form.append('file', playlist, 'meeting.wav');
    const response = await fetch(`${service.url}/stt/upload`, { method: 'POST', body: form });
    expect(response.status).toBe(415);
    expect(await response.json()).toMatchObject({ error: { code: 'AUDIO_UNSUPPORTED' } });
  });

  test('paths out of AUDIO_ROOT, private addresses and broken bodies are refused', async () => {
    const process = async (body: string) => {
      const headers = { 'content-type': 'application/json' };
      const response = await fetch(`${service.url}/stt/process`, { method: 'POST', headers, body });
      return [response.status, (await jsonOf(response)).error?.code];
    };
    expect(await process('{"audio_url":"../package.json"}')).toEqual([400, 'PATH_FORBIDDEN']);
    expect(await process('{"audio_url":"https://2130706433/a"}')).toEqual([400, 'URL_FORBIDDEN']);
    expect(await process('{')).toEqual([400, 'INPUT_INVALID']);
    expect(await process('[]')).toEqual([400, 'INPUT_INVALID']);
  });

  test('an unknown path is 404, a wrong method 405, another content type 415', async () => {
    const codes = await Promise.all([
      fetch(`${service.url}/nothing`),
      fetch(`${service.url}/stt/upload`),
      fetch(`${service.url}/stt/upload`, { method: 'POST', body: 'text' }),
    ]);
    expect(codes.map(({ status }) => status)).toEqual([404, 405, 415]);
  });
});

describe('the documents', () =>
  describeDocuments(() => ({
    url: service.url,
    folder,
    recordings: Object.fromEntries(FORMATS.map((format) => [format, short(format)])),
  })));

describe('hostile input', () => describeHostile(() => service));

describe('OpenAI', () => describeOpenAi(() => ({ url: service.url, recording: short('flac') })));

test('a client that goes away ends its job, and no request leaves a file', async () => {
  const form = new FormData();
  form.append('file', await openAsBlob(SAMPLE));
  const abort = new AbortController();
  const upload = fetch(`${service.url}/stt/upload`, {
    method: 'POST',
    body: form,
    signal: abort.signal,
  });
  const running = async () =>
    (await jsonOf(await fetch(`${service.url}/stt/status`))).jobs?.running;
  while ((await running()) === 0) await sleep(10);
  abort.abort();
  await expect(upload).rejects.toThrow();
  while ((await running()) !== 0) await sleep(10);
  await expect.poll(() => readdir(join(folder, 'spool'))).toEqual([]);
});

test('metrics count jobs and requests, and the event loop', async () => {
  const metrics = await (await fetch(`${service.url}/metrics`)).text();
  expect(metrics).toMatch(/^stt_jobs_total\{tenant="",code=""\} \d+$/m);
  expect(metrics).toMatch(/^stt_jobs_total\{tenant="",code="JOB_CANCELLED"\} 1$/m);
  expect(metrics).toMatch(/^stt_http_requests_total\{method="POST",route="\/stt\/upload"/m);
  expect(metrics).toMatch(/^nodejs_eventloop_lag_p99_seconds /m);
  expect(metrics).toMatch(/^stt_engine_batch_fill 0\.\d+$/m);
  expect(metrics).toMatch(/^stt_engine_wait_seconds_count\{priority="file"\} [1-9]\d*$/m);
  expect(metrics).toMatch(/^stt_engine_wait_seconds_p95\{priority="realtime"\} 0/m);
});
