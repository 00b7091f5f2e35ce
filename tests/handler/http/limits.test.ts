import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { connect } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { SttError } from '../../../core/errors.ts';
import { RealtimeModule } from '../../../handler/realtime/realtime-module.ts';
import { secToMidnight } from '../../../handler/tenants/usage-ledger.ts';
import { fakeJobServices, fakeTranscript } from '../../fakes/job-services.ts';
import { heldServices } from './held-services.ts';
import { KeyedService, keyOf, OPERATOR, outcomeOf } from './keyed-service.ts';

/** What a tenant may hold and use, at the doors of the service. */
let service: KeyedService;
afterEach(() => service.stop());

const TENANTS = { acme: {}, rival: {} };

/** The first line of the answer to a request whose body never comes. */
function answerWithoutBody(path: string, type: string, tenant: string): Promise<string> {
  const socket = connect(Number(new URL(service.url).port), '127.0.0.1');
  const headers = [
    `POST ${path} HTTP/1.1`,
    'Host: localhost',
    `Authorization: Bearer ${keyOf(tenant)}`,
    `Content-Type: ${type}`,
    'Content-Length: 5000000',
  ];
  socket.write(`${headers.join('\r\n')}\r\n\r\n`);
  return new Promise((resolve) =>
    socket.once('data', (data) => {
      socket.destroy();
      resolve(String(data).split('\r\n')[0] ?? '');
    }),
  );
}

test('a client that does one thing after the other is never told that it does two', async () => {
  const tenants = { acme: { concurrent_jobs: 1, requests_per_minute: 10_000 } };
  service = await KeyedService.start({ tenants, services: fakeJobServices() });
  const paths = ['/stt/upload', '/v1/audio/transcriptions'];
  for (let round = 0; round < 40; round += 1) {
    const path = paths[round % 2]!;
    const fields = round % 2 === 0 ? {} : { model: 'whisper-1' };
    const headers = round % 4 === 0 ? { accept: 'text/event-stream' } : {};
    const response = await service.upload('acme', fields, { path, headers });
    expect([round, response.status]).toEqual([round, 200]);
    await response.text();
  }
});

test('a tenant at its limit is told so before anything of its request is read', async () => {
  const { services, finish } = heldServices();
  service = await KeyedService.start({ tenants: { acme: { concurrent_jobs: 1 } }, services });
  const first = service.upload('acme');
  await expect.poll(() => service.service.context.gate.running).toBe(1);
  const answers = await Promise.all([
    answerWithoutBody('/stt/process', 'application/json', 'acme'),
    answerWithoutBody('/stt/upload', 'multipart/form-data; boundary=b', 'acme'),
    answerWithoutBody('/v1/audio/transcriptions', 'multipart/form-data; boundary=b', 'acme'),
  ]);
  expect(answers).toEqual(Array.from({ length: 3 }, () => expect.stringMatching(/ 429 /)));
  finish();
  expect((await first).status).toBe(200);
});

test('room is kept for a request while it arrives, so that no more come in than can be served', async () => {
  const env = { MAX_CONCURRENT_JOBS: '1', MAX_QUEUED_JOBS: '0' };
  service = await KeyedService.start({ tenants: TENANTS, env, services: fakeJobServices() });
  const slow = connect(Number(new URL(service.url).port), '127.0.0.1');
  slow.on('error', () => undefined);
  slow.write(
    `POST /stt/upload HTTP/1.1\r\nHost: localhost\r\nX-API-Key: ${keyOf('acme')}\r\n` +
      'Content-Type: multipart/form-data; boundary=b\r\nContent-Length: 1000\r\n\r\n--b\r\n',
  );
  const { work } = service.service.context;
  await expect.poll(() => work.size).toBe(1);
  expect(await outcomeOf(await service.upload('rival'))).toEqual([503, 'SERVICE_BUSY']);
  slow.destroy();
  await expect.poll(() => work.size).toBe(0);
  expect((await service.upload('rival')).status).toBe(200);
});

test('recordings on the disk are limited by tenant, and the room comes back', async () => {
  const { services, finish } = heldServices();
  const tenants = { acme: { stored_upload_mb: 0.04 }, rival: {} };
  service = await KeyedService.start({ tenants, services });
  const first = service.upload('acme');
  await expect.poll(() => service.service.context.gate.running).toBe(1);
  expect(await outcomeOf(await service.upload('acme'))).toEqual([429, 'QUEUE_LIMITED']);
  finish();
  expect((await service.upload('rival')).status).toBe(200);
  expect((await first).status).toBe(200);
  expect((await service.upload('acme')).status).toBe(200);
  expect(await readdir(service.spool)).toEqual([]);
});

test('audio counts from the moment its length is known, also for a client that reads and leaves', async () => {
  const { services } = heldServices();
  const tenants = { acme: { audio_minutes_per_day: 0.05 } };
  service = await KeyedService.start({ tenants, services });
  const abort = new AbortController();
  const headers = { accept: 'text/event-stream' };
  const fields = { diarize: 'false', language: 'en' };
  const events = await service.upload('acme', fields, { headers, signal: abort.signal });
  const reader = events.body!.pipeThrough(new TextDecoderStream()).getReader();
  let heard = '';
  while (!heard.includes('And so')) heard += (await reader.read()).value ?? '';
  abort.abort();
  await expect.poll(() => service.service.context.work.size).toBe(0);
  expect(service.audioSecOf('acme')).toBe(4);
  expect(await outcomeOf(await service.upload('acme'))).toEqual([429, 'QUOTA_EXCEEDED']);
});

test('audio of a job that fails does not count, and of many at once one crosses the limit', async () => {
  let fail = true;
  const services = fakeJobServices({
    transcribe: async () => {
      if (fail) throw new SttError('ENGINE_CRASHED', 'The test wants it so');
      return fakeTranscript();
    },
  });
  const tenants = { acme: { audio_minutes_per_day: 0.1 } };
  service = await KeyedService.start({ tenants, services });
  expect((await service.upload('acme')).status).toBe(503);
  expect(service.audioSecOf('acme')).toBe(0);
  fail = false;
  const answers = await Promise.all([1, 2, 3, 4].map(() => service.upload('acme')));
  const statuses = answers.map(({ status }) => status);
  expect(statuses.toSorted()).toEqual([200, 200, 429, 429]);
  expect(service.audioSecOf('acme')).toBe(8);
  for (const { status, headers } of answers) {
    const waitSec = Number(headers.get('retry-after'));
    if (status === 429) expect(Math.abs(waitSec - secToMidnight(Date.now()))).toBeLessThan(60);
  }
});

test('the limit of an upload is that of a recording at a URL too', async () => {
  const asked: (number | undefined)[] = [];
  const services = fakeJobServices();
  service = await KeyedService.start({
    tenants: { acme: { max_upload_mb: 2 }, rival: {} },
    services: {
      ...services,
      openAudio: (source, signal, { maxBytes } = {}) => {
        asked.push(maxBytes);
        return services.openAudio(source, signal);
      },
    },
  });
  const process = (tenant: string, more: object = {}) =>
    service.ask(tenant, '/stt/process', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ audio_url: 'https://a.example/b.wav', ...more }),
    });
  await process('acme');
  await process('acme', { max_audio_mb: 1 });
  await process('acme', { max_audio_mb: 50 });
  await process('rival');
  expect(asked).toEqual([2 * 2 ** 20, 2 ** 20, 2 * 2 ** 20, undefined]);
});

test('tokens for sockets are counted as requests, and refused keys everywhere', async () => {
  service = await KeyedService.start({
    tenants: { acme: { requests_per_minute: 5 } },
    services: fakeJobServices(),
    modules: (config) => [new RealtimeModule(config).register],
  });
  const post = {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ session: { type: 'transcription' } }),
  };
  const ask = (path: string) => service.ask('acme', path, post);
  const paths = ['/stt/realtime/token', '/v1/realtime/client_secrets'];
  const statuses: number[] = [];
  for (let round = 0; round < 8; round += 1) statuses.push((await ask(paths[round % 2]!)).status);
  expect(statuses).toEqual([200, 200, 200, 200, 200, 429, 429, 429]);
  for (const path of [...paths, '/metrics']) {
    const method = path === '/metrics' ? 'GET' : 'POST';
    const headers = { authorization: 'Bearer guess' };
    expect((await fetch(service.url + path, { method, headers })).status).toBe(401);
  }
  const socket = new WebSocket(`${service.url.replace('http', 'ws')}/v1/realtime`, [
    'realtime',
    'openai-insecure-api-key.guess',
  ]);
  await once(socket, 'error');
  const refused = service.lines.filter((line) => line.includes('key refused'));
  expect(refused).toHaveLength(4);
  expect(service.lines.join('')).not.toMatch(/guess/);
  const headers = { authorization: `Bearer ${OPERATOR}` };
  const metrics = await (await fetch(`${service.url}/metrics`, { headers })).text();
  expect(metrics).toMatch(/^stt_rejections_total\{code="UNAUTHENTICATED"\} 4$/m);
  expect(metrics).toMatch(/^stt_live_sessions 0$/m);
});

test('a tenant is told of its own jobs only, the operator of all', async () => {
  const { services, finish } = heldServices();
  service = await KeyedService.start({ tenants: TENANTS, services });
  const jobs = [service.upload('acme'), service.upload('acme')];
  await expect.poll(() => service.service.context.gate.running).toBe(2);
  const statusOf = async (answer: Promise<Response>) => (await answer).json();
  expect(await statusOf(service.ask('acme', '/stt/status'))).toMatchObject({
    jobs: { running: 2, waiting: 0 },
    tenant: { tenant_id: 'acme', jobs_running: 2 },
  });
  expect(await statusOf(service.ask('rival', '/stt/status'))).toMatchObject({
    jobs: { running: 0, waiting: 0 },
    sessions: 0,
    engine: null,
  });
  const headers = { authorization: `Bearer ${OPERATOR}` };
  expect(await statusOf(fetch(`${service.url}/stt/status`, { headers }))).toMatchObject({
    jobs: { running: 2, waiting: 0 },
    tenant: null,
  });
  finish();
  await Promise.all(jobs);
});

test('a waited job beside asynchronous ones is refused before anything of its answer is sent', async () => {
  const tenants = { acme: { concurrent_jobs: 1 } };
  service = await KeyedService.start({ tenants, services: fakeJobServices() });
  service.jobs.running = 1;
  const headers = { accept: 'text/event-stream' };
  const limited = [429, 'CONCURRENCY_LIMITED'];
  expect(await outcomeOf(await service.upload('acme', {}, { headers }))).toEqual(limited);
  expect((await service.upload('acme', { async: 'true' })).status).toBe(202);
  service.jobs.running = 0;
  expect((await service.upload('acme', {}, { headers })).status).toBe(200);
});
