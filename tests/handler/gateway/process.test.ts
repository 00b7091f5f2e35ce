import { readFileSync } from 'node:fs';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Webhook } from 'standardwebhooks';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { MAX_INLINE_BYTES } from '../../../handler/dispatch/inline-audio.ts';
import { startBucketServer } from '../../fakes/bucket-server.ts';
import { type LoopbackServer, startLoopbackServer } from '../../fakes/loopback-server.ts';
import { PROJECT_ROOT, type Program, startProgram } from '../../fakes/program.ts';
import { RunpodEndpoint } from '../../fakes/runpod-endpoint.ts';
import { freePort, type RunningService, startService } from '../http/service-process.ts';

/** Client → gateway process → queue → worker process on the embedded models → gateway → client. */
const SAMPLE = readFileSync(join(PROJECT_ROOT, 'samples/meeting-en.wav'));
const WAV_HEADER_BYTES = 44;
const BYTES_PER_SEC = 32_000;
const SECRET = `whsec_${Buffer.from('of the gateway test, 24 bytes').toString('base64')}`;
const SPOKEN = expect.stringMatching(/^Good morning everyone/);

/** The first seconds of the sample. */
function recording(seconds: number): Buffer {
  const bytes = Buffer.from(SAMPLE.subarray(0, WAV_HEADER_BYTES + seconds * BYTES_PER_SEC));
  bytes.writeUInt32LE(seconds * BYTES_PER_SEC, WAV_HEADER_BYTES - 4);
  return bytes;
}
const SHORT = recording(6);
/** Takes a worker several times what a signal takes to reach it. */
const LONG = recording(20);

let endpoint: RunpodEndpoint;
let folder: string;
let gateway: RunningService;
let gatewayPort: number;
let worker: Program;
let receiver: LoopbackServer;
let bucket: Awaited<ReturnType<typeof startBucketServer>>;
const messages: { readonly type: string; readonly data: Record<string, unknown> }[] = [];
const programs: Program[] = [];

beforeAll(async () => {
  endpoint = await RunpodEndpoint.start({ lostAfterMs: 1500 });
  folder = await mkdtemp(join(tmpdir(), 'stt-gateway-'));
  receiver = await startLoopbackServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => (body += chunk));
    request.on('end', () => {
      const headers = Object.fromEntries(
        Object.entries(request.headers).map(([name, value]) => [name, String(value)]),
      );
      messages.push(new Webhook(SECRET).verify(body, headers) as (typeof messages)[number]);
      response.writeHead(204).end();
    });
  });
  gatewayPort = await freePort();
  gateway = await startGateway();
});

afterAll(async () => {
  for (const { child, ended } of programs) {
    child.kill('SIGKILL');
    await ended;
  }
  await bucket?.close();
  await receiver.close();
  await endpoint.close();
  await rm(folder, { recursive: true });
});

async function startGateway(more: Record<string, string> = {}): Promise<RunningService> {
  const { endpointId, apiKey, baseUrl } = endpoint.address;
  const service = await startService({
    PORT: String(gatewayPort),
    PUBLIC_URL: `http://127.0.0.1:${gatewayPort}`,
    GATEWAY_ENDPOINT_ID: endpointId,
    GATEWAY_API_KEY: apiKey,
    GATEWAY_BASE_URL: baseUrl,
    SPOOL_DIR: join(folder, 'spool'),
    DATA_DIR: join(folder, 'data'),
    WEBHOOK_SECRETS: SECRET,
    ALLOW_HTTP_URLS: 'true',
    ALLOW_PRIVATE_URLS: 'true',
    ...more,
  });
  programs.push(service);
  return service;
}

function startWorker(workerId: string): Program {
  const worker = startProgram([], {
    env: {
      ...endpoint.workerEnvironment(workerId),
      RUNPOD_PING_INTERVAL: '200',
      RUNPOD_SKIP_AUTO_SYSTEM_CHECKS: 'true',
      ALLOW_HTTP_URLS: 'true',
      ALLOW_PRIVATE_URLS: 'true',
      SPOOL_DIR: join(folder, 'worker-spool'),
    },
  });
  programs.push(worker);
  return worker;
}

/** What a gateway is given besides: a bucket for what is large, and an engine of its own. */
async function fallbacks(): Promise<Record<string, string>> {
  bucket = await startBucketServer();
  const { address } = bucket;
  return {
    GATEWAY_FALLBACK: 'local',
    S3_ENDPOINT: address.endpoint,
    S3_BUCKET: address.bucket,
    S3_REGION: address.region,
    S3_ACCESS_KEY_ID: address.accessKeyId,
    S3_SECRET_ACCESS_KEY: address.secretAccessKey,
  };
}

const endProgram = async ({ child, ended }: Program, signal: NodeJS.Signals): Promise<void> => {
  child.kill(signal);
  await ended;
};

interface UploadOptions {
  readonly query?: string;
  readonly signal?: AbortSignal;
  readonly headers?: Record<string, string>;
}

function upload(
  bytes: Buffer,
  fields: Readonly<Record<string, string>> = {},
  { query = '', ...init }: UploadOptions = {},
): Promise<Response> {
  const body = new FormData();
  for (const [name, value] of Object.entries({ language: 'en', ...fields }))
    body.append(name, value);
  body.append('file', new Blob([new Uint8Array(bytes)]), 'meeting.wav');
  return fetch(`${gateway.url}/stt/upload${query}`, { method: 'POST', body, ...init });
}

/** As `SHORT`, with a chunk behind the samples that makes it too large to travel inside a job. */
function paddedRecording(): Buffer {
  const bytes = Buffer.from(SHORT);
  const padding = Buffer.alloc(8 + MAX_INLINE_BYTES);
  padding.write('JUNK');
  padding.writeUInt32LE(MAX_INLINE_BYTES, 4);
  bytes.writeUInt32LE(bytes.length - WAV_HEADER_BYTES, WAV_HEADER_BYTES - 4);
  return Buffer.concat([bytes, padding]);
}

async function acceptedId(answer: Promise<Response>): Promise<string> {
  const response = await answer;
  expect(response.status).toBe(202);
  return String(((await response.json()) as Record<string, unknown>)['job_id']);
}

const jobOf = async (id: string): Promise<Record<string, unknown>> =>
  (await (await fetch(`${gateway.url}/stt/jobs/${id}`)).json()) as Record<string, unknown>;
const settledJob = async (id: string) => {
  await expect
    .poll(async () => (await jobOf(id))['status'], { timeout: 30_000 })
    .toMatch(/^(?:completed|failed|cancelled)$/);
  return jobOf(id);
};

const last = () => [...endpoint.queue.jobs.values()].at(-1)!;
const untilLast = async (status: string) =>
  expect(await endpoint.queue.until(() => last()?.status === status)).toBe(true);

test('a recording that came before there was a worker is answered by the one that starts', async () => {
  const answer = upload(SHORT, { meeting_id: 'm1', tenant_id: 't1' });
  await endpoint.queue.until(() => endpoint.queue.count('IN_QUEUE') > 0);
  worker = startWorker('pod1');
  const response = await answer;
  expect(response.status).toBe(200);
  expect(await response.json()).toMatchObject({
    meeting_id: 'm1',
    tenant_id: 't1',
    language: 'en',
    transcript: SPOKEN,
  });
  expect(await (await fetch(`${gateway.url}/stt/status`)).json()).toMatchObject({
    status: 'ready',
    model: 'runpod/ep1',
    details: { endpoint: { workers: { ready: 1 } }, worker_minutes_per_day: null },
  });
});

test('a failing job keeps the code that its worker gave it, and is not sent again', async () => {
  const before = endpoint.queue.jobs.size;
  const refused = await upload(SHORT, { language: 'ko' });
  expect(refused.status).toBe(422);
  expect(await refused.json()).toMatchObject({ error: { code: 'LANGUAGE_UNSUPPORTED' } });
  expect(endpoint.queue.jobs.size).toBe(before + 1);
});

test('a client that leaves, and a job that is deleted, end on the worker, which takes the next', async () => {
  const abort = new AbortController();
  const left = upload(LONG, {}, { signal: abort.signal });
  await untilLast('IN_PROGRESS');
  abort.abort();
  await expect(left).rejects.toThrow();
  await untilLast('CANCELLED');
  const id = await acceptedId(upload(LONG, {}, { query: '?async=true' }));
  await untilLast('IN_PROGRESS');
  const deleted = await fetch(`${gateway.url}/stt/jobs/${id}`, { method: 'DELETE' });
  expect(deleted.status).toBe(204);
  await untilLast('CANCELLED');
  expect((await upload(SHORT)).status).toBe(200);
});

test('a job that is not waited for is announced to its webhook, signed', async () => {
  const fields = { webhook_url: receiver.url };
  const id = await acceptedId(upload(SHORT, fields, { query: '?async=true' }));
  await expect.poll(() => messages.length, { timeout: 20_000 }).toBe(1);
  expect(messages[0]).toMatchObject({
    type: 'job.completed',
    data: { job_id: id, result: { transcript: SPOKEN } },
  });
});

test('a recording too large for a job is fetched from the gateway itself', async () => {
  const before = endpoint.queue.jobs.size;
  const response = await upload(paddedRecording());
  expect(await response.json()).toMatchObject({ transcript: SPOKEN });
  const jobs = [...endpoint.queue.jobs.values()].slice(before);
  const [input] = jobs.map((job) => job.input as Record<string, unknown>);
  expect(input?.['audio_url']).toMatch(new RegExp(`^${gateway.url}/stt/handover/`));
  expect((await fetch(String(input?.['audio_url']))).status).toBe(404);
});

test('a gateway that is killed finds its job on the endpoint again and does not pay for another', async () => {
  const before = endpoint.queue.jobs.size;
  const id = await acceptedId(upload(LONG, {}, { query: '?async=true' }));
  await untilLast('IN_PROGRESS');
  await endProgram(gateway, 'SIGKILL');
  gateway = await startGateway();
  expect(await settledJob(id)).toMatchObject({
    status: 'completed',
    attempts: 2,
    result: { transcript: SPOKEN },
  });
  expect(endpoint.queue.jobs.size).toBe(before + 1);
});

test('a job whose worker is killed in the middle is finished by another one', async () => {
  const answer = upload(SHORT);
  await untilLast('IN_PROGRESS');
  worker.child.kill('SIGKILL');
  startWorker('pod2');
  expect(await (await answer).json()).toMatchObject({ transcript: SPOKEN });
  expect(last()).toMatchObject({ retries: 1, workerId: 'pod2' });
  expect(await readdir(join(folder, 'worker-spool'))).toEqual([]);
});

test('a gateway that is told to stop leaves its job on the endpoint, and the next one takes it up', async () => {
  const before = endpoint.queue.jobs.size;
  const id = await acceptedId(upload(LONG, {}, { query: '?async=true' }));
  await untilLast('IN_PROGRESS');
  gateway.child.kill('SIGTERM');
  await endProgram(gateway, 'SIGTERM'); // the second signal: in a hurry
  const { stdout } = await gateway.ended;
  expect(stdout).not.toMatch(/Good morning|base64|client-key/);
  gateway = await startGateway(await fallbacks());
  expect(await settledJob(id)).toMatchObject({ status: 'completed', attempts: 1 });
  expect(endpoint.queue.jobs.size).toBe(before + 1);
});

test('through a bucket, and from an engine of its own when the endpoint is down', async () => {
  expect(await (await upload(paddedRecording())).json()).toMatchObject({
    transcript: SPOKEN,
    warnings: [],
  });
  expect(await bucket.objects()).toEqual([]);
  endpoint.setDown(true);
  const here = await upload(SHORT);
  endpoint.setDown(false);
  expect(await here.json()).toMatchObject({
    transcript: SPOKEN,
    warnings: [{ code: 'FALLBACK_USED', message: expect.stringMatching(/OUTCOME_UNKNOWN/) }],
  });
});
