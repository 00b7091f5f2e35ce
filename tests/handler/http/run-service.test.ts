import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { type AddressInfo, connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { loadConfig } from '../../../core/config.ts';
import { SttError } from '../../../core/errors.ts';
import { createLogger } from '../../../core/logger.ts';
import type { ServiceModule } from '../../../handler/http/create-service.ts';
import type { ServiceEngine } from '../../../handler/http/engine-slot.ts';
import { type RunServiceOptions, runService } from '../../../handler/http/run-service.ts';
import { LocalExecutor } from '../../../handler/jobs/local-executor.ts';
import { openStore, type Store } from '../../../handler/store/open-store.ts';
import { hashKey } from '../../../handler/tenants/key-ring.ts';
import { fakeJobServices, fakeTranscript } from '../../fakes/job-services.ts';
import { wavBytes } from '../../fakes/wav-bytes.ts';
import { LIMITS, newJob } from '../jobs/store-kinds.ts';

/** The life of a service process, with everything of it real but the engine. */
let dataDir: string;
let lines: string[];
let shutdown: AbortController;
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'stt-run-service-'));
  lines = [];
  shutdown = new AbortController();
});
afterEach(() => rm(dataDir, { recursive: true, force: true }));

const engine = (services = fakeJobServices()): ServiceEngine => ({
  executor: new LocalExecutor({ audioRoot: dataDir, services: () => services }),
  model: 'fake-whisper',
  device: 'cpu',
  languages: ['en'],
  stats: () => null,
  close: async () => undefined,
});

/** Settles with the exit code; the URL comes with the module that hears of the server. */
function start(
  startEngine: RunServiceOptions['startEngine'],
  env: Readonly<Record<string, string>> = {},
  modules: readonly ServiceModule[] = [],
) {
  let tellUrl = (_: string): void => undefined;
  const url = new Promise<string>((resolve) => (tellUrl = resolve));
  const module: ServiceModule = (app) => {
    app.addHook('onListen', async () => {
      tellUrl(`http://127.0.0.1:${(app.server.address() as AddressInfo).port}`);
    });
  };
  const ended = runService({
    config: loadConfig({ PORT: '0', DATA_DIR: dataDir, SPOOL_DIR: dataDir, ...env }),
    logger: createLogger('info', { write: (line: string) => void lines.push(line) }),
    version: '0.0.0',
    startEngine,
    failed: new AbortController().signal,
    shutdown: shutdown.signal,
    hurry: new AbortController().signal,
    modules: [module, ...modules],
  });
  return { ended, url };
}

async function inStore<T>(work: (store: Store) => Promise<T>): Promise<T> {
  const settings = { dataDir, databaseUrl: undefined, retentionMs: 60_000, leaseMs: 60_000 };
  const store = await openStore(settings, () => undefined);
  return await work(store).finally(() => store.close());
}

/** As a killed process leaves it. */
const leaveRunningJob = () =>
  inStore(async (store) => {
    await store.jobs.insert(newJob('left', { tenant: null }), LIMITS);
    await store.claims.claim('dead', { volume: '', mayRun: () => true });
  });

const stateOf = (id: string) => inStore((store) => store.jobs.get(null, id));

test('a port that is taken ends the process at once, and the jobs that wait are untouched', async () => {
  await leaveRunningJob();
  const taken = createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  const { port } = taken.address() as AddressInfo;
  const { ended } = start(() => new Promise(() => undefined), { PORT: String(port) });
  await expect(ended).rejects.toMatchObject({ code: 'INPUT_INVALID' });
  taken.close();
  expect(await stateOf('left')).toMatchObject({ state: 'queued', attempts: 1 });
});

test('an engine that cannot be loaded ends the process, and the jobs that wait are untouched', async () => {
  await leaveRunningJob();
  const { ended } = start(() => Promise.reject(new SttError('MODEL_NOT_FOUND', 'None')));
  expect(await ended).toBe(1);
  expect(lines.join('')).toMatch(/engine not loaded/);
  expect(await stateOf('left')).toMatchObject({ state: 'queued', attempts: 1 });
});

test('a watcher does not hold up the end of the process, and hears that it ends', async () => {
  let load = (_: ServiceEngine): void => undefined;
  const loaded = new Promise<ServiceEngine>((resolve) => (load = resolve));
  const { ended, url } = start(() => loaded, { DRAIN_TIMEOUT_SEC: '60' });
  const form = new FormData();
  form.append('file', new Blob([wavBytes(new Int16Array(1600))]));
  const query = '?async=true';
  const accepted = await fetch(`${await url}/stt/upload${query}`, { method: 'POST', body: form });
  const { job_id: id } = (await accepted.json()) as { job_id: string };
  const events = await fetch(`${await url}/stt/jobs/${id}/events`);
  shutdown.abort();
  load(engine());
  const startedAt = performance.now();
  expect(await ended).toBe(0);
  expect(performance.now() - startedAt).toBeLessThan(10_000);
  expect(await events.text()).toMatch(/^event: state$/m);
  expect(await stateOf(id)).toMatchObject({ state: 'queued', attempts: 0 });
});

test('who sends headers too slowly is told so about when they should have come', async () => {
  const hurried: ServiceModule = (app) => {
    expect(app.server.headersTimeout).toBe(15_000);
    app.server.headersTimeout = 100;
  };
  const { ended, url } = start(async () => engine(), {}, [hurried]);
  const { port } = new URL(await url);
  const socket = connect(Number(port), '127.0.0.1');
  socket.write('GET /health HTTP/1.1\r\nHost: localhost\r\n');
  expect(await text(socket)).toMatch(/^HTTP\/1\.1 408 .*REQUEST_TIMEOUT/s);
  shutdown.abort();
  expect(await ended).toBe(0);
}, 10_000); // Node looks every half a minute unless told otherwise

test('a page of another site, and a name of its own for this machine, reach nothing', async () => {
  const { ended, url } = start(async () => engine());
  const { port } = new URL(await url);
  const ask = async (lines: readonly string[]): Promise<string> => {
    const socket = connect(Number(port), '127.0.0.1');
    socket.write(`${[...lines, 'Connection: close', '', ''].join('\r\n')}`);
    return (await text(socket)).split('\r\n')[0] ?? '';
  };
  const upgrade = ['Upgrade: websocket', 'Sec-WebSocket-Version: 13', 'Sec-WebSocket-Key: eA=='];
  const rebound = 'Host: evil.example:8001';
  const own = 'Host: localhost:8001';
  const foreign = 'Origin: https://evil.example';
  const form = ['Content-Type: multipart/form-data; boundary=b', 'Content-Length: 0'];
  expect(await ask(['GET /stt/jobs HTTP/1.1', rebound])).toMatch(/403/);
  expect(await ask(['GET /stt/jobs HTTP/1.1', own])).toMatch(/200/);
  expect(await ask(['POST /stt/upload?async=1 HTTP/1.1', own, foreign, ...form])).toMatch(/403/);
  expect(await ask(['GET /stt/realtime HTTP/1.1', own, foreign, ...upgrade])).toMatch(/403/);
  const page = ['GET / HTTP/1.1', 'Host: 127.0.0.1:8001', 'Sec-Fetch-Site: cross-site'];
  expect(await ask(page)).toMatch(/200/);
  shutdown.abort();
  expect(await ended).toBe(0);
});

test('a tenant that sends many jobs runs as many as it may, and the others are served beside it', async () => {
  const keys = (tenant: string, limits: object) => ({
    [tenant]: { keys: [hashKey(`key-of-${tenant}`)], ...limits },
  });
  const tenants = {
    ...keys('acme', { concurrent_jobs: 1, queued_jobs: 2, audio_minutes_per_day: 0.06 }),
    ...keys('rival', {}),
  };
  let atWork = 0;
  let most = 0;
  const services = fakeJobServices({
    transcribe: async () => {
      most = Math.max(most, ++atWork);
      await sleep(20);
      atWork -= 1;
      return fakeTranscript();
    },
  });
  let load = (_: ServiceEngine): void => undefined;
  const loaded = new Promise<ServiceEngine>((resolve) => (load = resolve));
  const env = { API_KEYS: JSON.stringify({ tenants }), MAX_QUEUED_JOBS: '3' };
  const { ended, url } = start(() => loaded, env);
  const ask = async (tenant: string, path: string, init: RequestInit = {}) =>
    fetch(`${await url}${path}`, { ...init, headers: { 'x-api-key': `key-of-${tenant}` } });
  const submit = async (tenant: string) => {
    const body = new FormData();
    body.append('file', new Blob([wavBytes(new Int16Array(1600))]));
    return (await ask(tenant, '/stt/upload?async=1', { method: 'POST', body })).status;
  };
  const statuses: number[] = [];
  for (let count = 0; count < 5; count += 1) statuses.push(await submit('acme'));
  expect(statuses).toEqual([202, 202, 202, 429, 429]);
  expect(await submit('rival')).toBe(202);
  load(engine(services));
  const statesOf = async (tenant: string) => {
    const { jobs } = JSON.parse(await (await ask(tenant, '/stt/jobs')).text());
    return jobs.map(({ status }: { status: string }) => status);
  };
  await expect.poll(() => statesOf('rival'), { timeout: 5000 }).toEqual(['completed']);
  const usedUp = ['queued', 'queued', 'completed']; // four seconds of audio, of 3.6 a day
  await expect.poll(() => statesOf('acme'), { timeout: 5000 }).toEqual(usedUp);
  expect(most).toBeLessThanOrEqual(2);
  shutdown.abort();
  expect(await ended).toBe(0);
});
