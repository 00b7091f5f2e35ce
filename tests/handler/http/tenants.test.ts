import { readdir } from 'node:fs/promises';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Service } from '../../../handler/http/create-service.ts';
import { JobGate } from '../../../handler/http/job-gate.ts';
import { hashKey } from '../../../handler/tenants/key-ring.ts';
import { parseKeys } from '../../../handler/tenants/read-keys.ts';
import { RequestWindow } from '../../../handler/tenants/request-window.ts';
import { MemoryUsageLedger } from '../../../handler/tenants/usage-ledger.ts';
import { fakeJobServices } from '../../fakes/job-services.ts';
import { wavBytes } from '../../fakes/wav-bytes.ts';
import { KeyedService, outcomeOf as outcome, WAV } from './keyed-service.ts';

const KEYS = { acme: 'stt_acme', acmeNew: 'stt_acme_new', rival: 'stt_rival' };
const TENANTS = {
  acme: {
    keys: [`sha256:${hashKey(KEYS.acme)}`, hashKey(KEYS.acmeNew)],
    concurrent_jobs: 2,
    max_upload_mb: 0.05,
  },
  rival: { keys: [hashKey(KEYS.rival)], requests_per_minute: 3, audio_minutes_per_day: 0.05 },
};
const CANARY = 'unspeakable-canary';

let keyed: KeyedService;
let folder: string;
let lines: string[];
let service: Service;
let url: string;
let finishJobs: () => void;

beforeEach(async () => {
  const held = new Promise<void>((resolve) => {
    finishJobs = resolve;
  });
  const services = fakeJobServices({
    openAudio: async () => {
      await held;
      return undefined as never;
    },
  });
  keyed = await KeyedService.start({ tenants: TENANTS, services });
  ({ service, url, lines, spool: folder } = keyed);
});

afterEach(async () => {
  finishJobs();
  await keyed.stop();
});

const withKey = (key: string) => ({ authorization: `Bearer ${key}` });

async function upload(key: string, fields: Readonly<Record<string, string>> = {}, file = WAV) {
  const body = new FormData();
  body.append('file', file, `${CANARY}.wav`);
  for (const [name, value] of Object.entries(fields)) body.append(name, value);
  return await fetch(`${url}/stt/upload`, { method: 'POST', headers: withKey(key), body });
}

describe('keys', () => {
  test('without a key or with a wrong one there is nothing but health', async () => {
    const paths = ['/stt/status', '/stt/jobs', '/stt/jobs/job-of-acme', '/v1/models', '/metrics'];
    for (const path of paths) {
      expect((await fetch(url + path)).status).toBe(401);
      expect((await fetch(url + path, { headers: withKey('stt_guess') })).status).toBe(401);
      expect((await fetch(`${url}${path}?token=${KEYS.acme}`)).status).toBe(401);
    }
    expect((await fetch(`${url}/health`)).status).toBe(200);
    expect((await fetch(`${url}/ping`)).status).toBe(200);
  });

  test('both keys of a tenant work, by either header', async () => {
    const headers = [withKey(KEYS.acme), withKey(KEYS.acmeNew), { 'x-api-key': KEYS.acmeNew }];
    for (const header of headers) {
      const response = await fetch(`${url}/stt/status`, { headers: header });
      expect(await response.json()).toMatchObject({ tenant: { tenant_id: 'acme' } });
    }
  });

  test('metrics are for the operator, not for tenants', async () => {
    expect((await fetch(`${url}/metrics`, { headers: withKey(KEYS.acme) })).status).toBe(401);
    expect((await fetch(`${url}/metrics`, { headers: withKey('operator') })).status).toBe(200);
  });

  test('a keys document with a third key, a short hash or a shared key is refused', () => {
    const hash = hashKey('x');
    const of = (tenants: unknown) => () => parseKeys(JSON.stringify({ tenants }), 'API_KEYS');
    expect(of({ a: { keys: [hash, hashKey('y'), hashKey('z')] } })).toThrow(/keys/);
    expect(of({ a: { keys: ['abc'] } })).toThrow(/64 hex digits/);
    expect(of({ a: { keys: [hash] }, b: { keys: [hash] } })).toThrow(/twice/);
    expect(of({ '../a': { keys: [hash] } })).toThrow(/tenants/);
    expect(parseKeys(`a=${hash}, b=${hashKey('y')}`, 'API_KEYS').tenants).toHaveProperty('b');
  });
});

describe('isolation', () => {
  test('a foreign tenant_id is 403, and a result names the tenant of the key', async () => {
    finishJobs();
    expect(await outcome(await upload(KEYS.acme, { tenant_id: 'rival' }))).toEqual([
      403,
      'TENANT_FORBIDDEN',
    ]);
    expect(await (await upload(KEYS.acme)).json()).toMatchObject({ tenant_id: 'acme' });
  });

  test('the job of another tenant does not exist, whatever is asked of it', async () => {
    const ask = async (key: string, method: string, path: string) =>
      (await fetch(url + path, { method, headers: withKey(key) })).status;
    const requests = [
      ['GET', '/stt/jobs/job-of-acme'],
      ['POST', '/stt/jobs/job-of-acme/cancel'],
      ['DELETE', '/stt/jobs/job-of-acme'],
    ] as const;
    for (const [method, path] of requests) expect(await ask(KEYS.rival, method, path)).toBe(404);
    const [read, cancel, remove] = requests;
    expect(await ask(KEYS.acme, ...read)).toBe(200);
    expect(await ask(KEYS.acme, ...cancel)).toBe(200);
    expect(await ask(KEYS.acme, ...remove)).toBe(204);
    expect(lines.join('')).toMatch(
      /"jobId":"job-of-acme","tenant":"acme","keyId":"\w{12}".*job deleted/,
    );
  });

  test('an accepted job answers 202 with its place', async () => {
    const response = await upload(KEYS.acme, { async: 'true', meeting_id: 'm' });
    expect(response.status).toBe(202);
    expect(response.headers.get('location')).toMatch(/^\/stt\/jobs\/[\w-]{36}$/);
    expect(await response.json()).toMatchObject({ status: 'queued', result: null });
  });

  test('the log has no key, no name of a file and no text of an answer', async () => {
    finishJobs();
    await upload(KEYS.acme, { initial_prompt: CANARY, meeting_id: CANARY });
    await fetch(`${url}/stt/status?token=${CANARY}`, { headers: withKey(CANARY) });
    await fetch(`${url}/${CANARY}`, { headers: withKey(KEYS.acme) });
    const log = lines.join('');
    expect(log).toMatch(/request answered/);
    expect(log).not.toMatch(new RegExp([CANARY, ...Object.values(KEYS), 'Americans'].join('|')));
  });
});

describe('limits', () => {
  test('requests a minute: told in headers, then 429 with the time to wait', async () => {
    const ask = () => fetch(`${url}/v1/models`, { headers: withKey(KEYS.rival) });
    const answers = [await ask(), await ask(), await ask(), await ask()];
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 429]);
    const remaining = answers.map(({ headers }) => headers.get('ratelimit-remaining'));
    expect(remaining).toEqual(['2', '1', '0', '0']);
    expect(Number(answers[3]?.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(await answers[3]?.json()).toMatchObject({ error: { type: 'rate_limit_error' } });
    expect((await fetch(`${url}/v1/models`, { headers: withKey(KEYS.acme) })).status).toBe(200);
  });

  test('jobs at the same time: a tenant at its limit waits, another does not', async () => {
    const held = [upload(KEYS.acme), upload(KEYS.acme)];
    while (service.context.gate.running < 2) await new Promise(setImmediate);
    expect(await outcome(await upload(KEYS.acme))).toEqual([429, 'CONCURRENCY_LIMITED']);
    const rival = upload(KEYS.rival);
    finishJobs();
    const statuses = await Promise.all(
      [...held, rival].map(async (answer) => (await answer).status),
    );
    expect(statuses).toEqual([200, 200, 200]);
    expect((await upload(KEYS.acme)).status).toBe(200);
  });

  test('audio of a day: the next job is refused until midnight', async () => {
    finishJobs();
    expect((await upload(KEYS.rival)).status).toBe(200);
    const refused = await upload(KEYS.rival);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(await outcome(refused)).toEqual([429, 'QUOTA_EXCEEDED']);
  });

  test('bytes of an upload: refused while it arrives, and nothing is left on the disk', async () => {
    const large = new Blob([wavBytes(new Int16Array(64_000))]);
    expect(await outcome(await upload(KEYS.acme, {}, large))).toEqual([413, 'AUDIO_TOO_LARGE']);
    expect(await readdir(folder)).toEqual([]);
  });

  test('an allowance refills evenly, and a day begins anew', () => {
    let nowMs = 0;
    const window = new RequestWindow(() => nowMs);
    expect([1, 2, 3].map(() => window.take('a', 2).isAllowed)).toEqual([true, true, false]);
    nowMs = 30_000;
    expect([1, 2].map(() => window.take('a', 2).isAllowed)).toEqual([true, false]);
    const ledger = new MemoryUsageLedger(() => nowMs);
    ledger.add('a', { jobs: 1, audioSec: 60 });
    expect(ledger.audioSecToday('a')).toBe(60);
    nowMs = 24 * 60 * 60 * 1000;
    expect(ledger.audioSecToday('a')).toBe(0);
  });
});

describe('the server', () => {
  test('every answer has the headers that browsers and logs need', async () => {
    const { headers } = await fetch(`${url}/nothing`, { headers: { 'x-request-id': 'trace-1' } });
    expect(headers.get('x-request-id')).toBe('trace-1');
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('content-security-policy')).toMatch(/default-src 'none'/);
    expect(headers.get('access-control-allow-origin')).toBeNull();
  });

  test('what is no HTTP, or has too many headers, gets an answer and the connection ends', async () => {
    const { port } = new URL(url);
    const send = async (bytes: string): Promise<string> => {
      const socket = connect(Number(port), '127.0.0.1');
      socket.end(bytes);
      return await text(socket);
    };
    expect(await send('NONSENSE\r\n\r\n')).toMatch(/^HTTP\/1.1 400 .*INPUT_INVALID/s);
    const headers = `X-Long: ${'a'.repeat(20_000)}\r\n`;
    expect(await send(`GET /health HTTP/1.1\r\nHost: a\r\n${headers}\r\n`)).toMatch(
      /^HTTP\/1.1 413 .*REQUEST_TOO_LARGE/s,
    );
  });

  test('while it drains new jobs are refused and those at work are finished', async () => {
    const held = upload(KEYS.acme);
    while (service.context.gate.running < 1) await new Promise(setImmediate);
    service.context.slot.drain();
    expect(await outcome(await upload(KEYS.acme))).toEqual([503, 'SHUTTING_DOWN']);
    expect((await fetch(`${url}/health`)).status).toBe(503);
    finishJobs();
    expect((await held).status).toBe(200);
    await service.context.work.idle();
    expect(service.context.work.size).toBe(0);
  });

  test('waiting jobs take turns by tenant, and one that is aborted gives its place up', async () => {
    const gate = new JobGate(1, 10);
    const { signal } = new AbortController();
    const order: string[] = [];
    const leave = await gate.enter('a', signal);
    const abort = new AbortController();
    const given = gate.enter('a', abort.signal);
    const enter = (tenant: string, name: string) =>
      gate.enter(tenant, signal).then((next) => {
        order.push(name);
        next();
      });
    const waiting = [enter('a', 'a1'), enter('a', 'a2'), enter('b', 'b1')];
    abort.abort();
    await expect(given).rejects.toMatchObject({ code: 'JOB_CANCELLED' });
    leave();
    await Promise.all(waiting);
    expect(order).toEqual(['a1', 'b1', 'a2']);
    expect([gate.running, gate.waiting]).toEqual([0, 0]);
  });
});
