import { readFileSync } from 'node:fs';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fastify from 'fastify';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createLogger } from '../../../core/logger.ts';
import { MAX_INLINE_BYTES } from '../../../handler/dispatch/inline-audio.ts';
import type { AudioStore } from '../../../handler/gateway/audio-store.ts';
import { GatewayExecutor, type GatewayOptions } from '../../../handler/gateway/gateway-executor.ts';
import { registerSignedDownloads } from '../../../handler/gateway/register-signed-downloads.ts';
import { S3Bucket } from '../../../handler/gateway/s3-bucket.ts';
import { SignedDownloads } from '../../../handler/gateway/signed-downloads.ts';
import type { JobProgress } from '../../../handler/job.ts';
import type { Upload } from '../../../handler/jobs/contracts.ts';
import { startBucketServer } from '../../fakes/bucket-server.ts';
import { PROJECT_ROOT, type Program, startProgram } from '../../fakes/program.ts';
import { RunpodEndpoint } from '../../fakes/runpod-endpoint.ts';

/** Client → gateway → queue → worker process on the embedded models → gateway → client. */
const SAMPLE = readFileSync(join(PROJECT_ROOT, 'samples/meeting-en.wav'));
const WAV_HEADER_BYTES = 44;
const BYTES_PER_SEC = 32_000;
const LIMITS = { maxQueueMs: 60_000, maxJobMs: 60_000 };
const POLLING = { firstWaitMs: 20, longestWaitMs: 100, lookAttempts: 5 };

let endpoint: RunpodEndpoint;
let folder: string;
let short: Upload;
let long: Upload;
const workers: Program[] = [];

beforeAll(async () => {
  endpoint = await RunpodEndpoint.start({ lostAfterMs: 1500 });
  folder = await mkdtemp(join(tmpdir(), 'stt-gateway-'));
  short = await recording(6);
  long = await recording(40);
});

afterAll(async () => {
  for (const { child, ended } of workers) {
    child.kill('SIGKILL');
    await ended;
  }
  await endpoint.close();
  await rm(folder, { recursive: true });
});

/** The first seconds of the sample. */
async function recording(seconds: number): Promise<Upload> {
  const bytes = SAMPLE.subarray(0, WAV_HEADER_BYTES + seconds * BYTES_PER_SEC);
  const path = join(folder, `${seconds}.wav`);
  await writeFile(path, bytes);
  return { path, bytes: bytes.length };
}

/** As `short`, with a chunk behind the samples that makes it too large to travel inside a job. */
async function paddedRecording(): Promise<Upload> {
  const bytes = readFileSync(short.path);
  const padding = Buffer.alloc(8 + MAX_INLINE_BYTES);
  padding.write('JUNK');
  padding.writeUInt32LE(MAX_INLINE_BYTES, 4);
  bytes.writeUInt32LE(bytes.length - WAV_HEADER_BYTES, WAV_HEADER_BYTES - 4);
  const path = join(folder, 'padded.wav');
  await writeFile(path, Buffer.concat([bytes, padding]));
  return { path, bytes: bytes.length + padding.length };
}

function startWorker(workerId: string): Program {
  const worker = startProgram([], {
    env: {
      ...endpoint.workerEnvironment(workerId),
      RUNPOD_PING_INTERVAL: '200',
      RUNPOD_SKIP_AUTO_SYSTEM_CHECKS: 'true',
      ALLOW_HTTP_URLS: 'true',
      ALLOW_PRIVATE_URLS: 'true',
      SPOOL_DIR: join(folder, 'spool'),
    },
  });
  workers.push(worker);
  return worker;
}

function gateway(more: Partial<GatewayOptions> & { store?: AudioStore; maxQueueMs?: number } = {}) {
  const { store, maxQueueMs, ...options } = more;
  const lines: string[] = [];
  const executor = new GatewayExecutor({
    target: {
      ...endpoint.address,
      polling: POLLING,
      limits: { ...LIMITS, ...(maxQueueMs !== undefined && { maxQueueMs }) },
    },
    handover: { store, audio: { root: undefined, maxBytes: 1e8, spoolDir: folder } },
    maxAttempts: 2,
    ...options,
  });
  const controller = new AbortController();
  const progress: JobProgress[] = [];
  const run = (upload: Upload | null, input: Record<string, unknown> = {}) =>
    executor.execute(
      { id: 'j1', tenant: 't1', input: { language: 'en', ...input }, upload },
      {
        signal: controller.signal,
        logger: createLogger('info', { write: (line) => lines.push(line) }),
        onProgress: (step) => progress.push(step),
      },
    );
  return { executor, run, controller, progress, lines };
}

const isRunning = (): boolean => endpoint.queue.count('IN_PROGRESS') > 0;
const isWaiting = (): boolean => endpoint.queue.count('IN_QUEUE') > 0;

test('a job that nobody takes in time is QUEUE_TIMEOUT and leaves the queue', async () => {
  const { run } = gateway({ maxQueueMs: 300 });
  expect(await run(short)).toEqual({
    error: { code: 'QUEUE_TIMEOUT', message: expect.any(String), retryable: true },
  });
  expect([isWaiting(), isRunning()]).toEqual([false, false]);
});

test('a job that was sent before there was a worker is answered by the one that starts', async () => {
  const { run, progress, lines } = gateway();
  const answer = run(short, { meeting_id: 'm1', tenant_id: 't1' });
  expect(await endpoint.queue.until(isWaiting)).toBe(true);
  startWorker('pod1');
  const result = await answer;
  expect(result).toMatchObject({ meeting_id: 'm1', tenant_id: 't1', language: 'en' });
  expect(result).toMatchObject({ transcript: expect.stringMatching(/^Good morning everyone/) });
  const fractions = progress.map(({ fraction }) => fraction);
  expect(fractions).toEqual(fractions.toSorted((first, second) => first - second));
  expect(JSON.parse(lines.at(-1)!)).toMatchObject({
    message: 'job completed',
    audioSec: 6,
    attempt: 1,
    queueMs: expect.any(Number),
    workerMs: expect.any(Number),
  });
  expect(lines.join()).not.toMatch(/Good morning|base64|client-key/);
});

test('a client of the gateway’s own process gets the result, the health and the limits', async () => {
  const { endpointId, apiKey, baseUrl } = endpoint.address;
  const program = startProgram(['--serve'], {
    env: {
      PORT: '0',
      GATEWAY_ENDPOINT_ID: endpointId,
      GATEWAY_API_KEY: apiKey,
      GATEWAY_BASE_URL: baseUrl,
      SPOOL_DIR: join(folder, 'spool'),
    },
  });
  workers.push(program);
  const origin = `http://127.0.0.1:${await portOf(program)}`;
  await expect
    .poll(async () => (await fetch(`${origin}/ping`)).status, { timeout: 20_000 })
    .toBe(200);
  const upload = (language: string): Promise<Response> => {
    const form = new FormData();
    form.append('file', new Blob([readFileSync(short.path)]), 'meeting.wav');
    form.append('meeting_id', 'm2');
    form.append('language', language);
    return fetch(`${origin}/stt/upload`, { method: 'POST', body: form });
  };
  expect(await (await upload('en')).json()).toMatchObject({
    meeting_id: 'm2',
    transcript: expect.stringMatching(/^Good morning everyone/),
  });
  const refused = await upload('ko');
  expect(refused.status).toBe(422);
  expect(await refused.json()).toMatchObject({ error: { code: 'LANGUAGE_UNSUPPORTED' } });
  expect(await (await fetch(`${origin}/stt/status`)).json()).toMatchObject({
    status: 'ready',
    model: 'runpod/ep1',
    details: { endpoint: { workers: { ready: 1 } } },
  });
});

/** Read off the line that says where the service listens. */
function portOf({ child, ended }: Program): Promise<number> {
  let seen = '';
  return new Promise((resolve, reject) => {
    child.stdout!.on('data', (piece) => {
      seen += String(piece);
      const port = /"port":(\d+)/.exec(seen)?.[1];
      if (port !== undefined) resolve(Number(port));
    });
    ended.then(({ stderr }) => reject(new Error(`The gateway has ended: ${stderr}`)), reject);
  });
}

test('recordings too large for a job reach the worker through a bucket or from the gateway', async () => {
  const large = await paddedRecording();
  const expected = { transcript: expect.stringMatching(/^Good morning everyone/) };
  const bucket = await startBucketServer();
  expect(await gateway({ store: new S3Bucket(bucket.address) }).run(large)).toMatchObject(expected);
  expect(await bucket.objects()).toEqual([]);
  await bucket.close();
  const server = fastify();
  const downloads = new SignedDownloads('http://gateway.example');
  registerSignedDownloads(server, downloads);
  const origin = await server.listen({ port: 0, host: '127.0.0.1' });
  const store: AudioStore = {
    share: async (upload, validMs) => {
      const shared = await downloads.share(upload, validMs);
      return { ...shared, url: shared.url.replace('http://gateway.example', origin) };
    },
  };
  expect(await gateway({ store }).run(large)).toMatchObject(expected);
  await server.close();
});

test('a failing job keeps the code that its worker gave it, and is not sent again', async () => {
  const { run } = gateway();
  const before = endpoint.queue.jobs.size;
  expect(await run(short, { language: 'ko' })).toMatchObject({
    error: { code: 'LANGUAGE_UNSUPPORTED', retryable: false },
  });
  expect(endpoint.queue.jobs.size).toBe(before + 1);
});

test('health tells queue and workers', async () => {
  const { executor } = gateway();
  expect(await executor.health()).toMatchObject({
    jobs: { inQueue: 0, inProgress: 0 },
    workers: { ready: 1, running: 0 },
  });
});

test('a cancelled job is stopped on its worker, which takes the next one', async () => {
  const { run, controller } = gateway();
  const answer = run(long);
  expect(await endpoint.queue.until(isRunning)).toBe(true);
  controller.abort();
  expect(await answer).toMatchObject({ error: { code: 'JOB_CANCELLED' } });
  expect(endpoint.queue.count('CANCELLED')).toBe(2);
  expect(await gateway().run(short)).toMatchObject({ language: 'en' });
});

test('a job whose worker is killed in the middle is finished by another one', async () => {
  const { run } = gateway();
  const answer = run(short);
  expect(await endpoint.queue.until(isRunning)).toBe(true);
  workers[0]!.child.kill('SIGKILL');
  startWorker('pod2');
  expect(await answer).toMatchObject({ transcript: expect.stringMatching(/^Good morning/) });
  expect([...endpoint.queue.jobs.values()].at(-1)).toMatchObject({ retries: 1, workerId: 'pod2' });
  expect(await readdir(join(folder, 'spool'))).toEqual([]);
});

test('with the endpoint down the fallback answers, and the result says so', async () => {
  endpoint.setDown(true);
  const local = { transcript: 'from here', warnings: [], audio_duration: 1 };
  const execute = async () => local as never;
  const { run, lines } = gateway({ fallback: { execute } });
  const result = await run(short);
  endpoint.setDown(false);
  expect(result).toMatchObject({ transcript: 'from here', warnings: [{ code: 'FALLBACK_USED' }] });
  expect(lines.join()).toContain('ENDPOINT_UNAVAILABLE');
});
