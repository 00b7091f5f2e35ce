import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { Webhook } from 'standardwebhooks';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { LiveClient } from '../realtime/live-client.ts';
import { type AnyRequest, type ApiDocument, anyRequest } from './any-request.ts';
import { ApiDescription } from './api-description.ts';
import {
  FILE_NAME,
  jsonOf,
  KEYS,
  LiveTenants,
  OPERATOR,
  outcomeOf,
  PROMPT,
  SIGNATURE,
  SILENCE,
  seconds,
  secretOf,
  type Tenant,
} from './live-tenants.ts';

/** Several tenants on a live process with its real database and models, killed in between. */
let live: LiveTenants;
const logs: string[] = [];

beforeAll(async () => {
  live = await LiveTenants.open();
});
afterAll(() => live?.close());

describe('another tenant', () => {
  test('finds nothing of a job, whatever it asks', async () => {
    const id = await live.accepted('acme');
    expect(await live.settled('acme', id)).toMatchObject({ status: 'completed' });
    const nothing = [404, 'NOT_FOUND'];
    expect(await outcomeOf(live.ask('rival', `/stt/jobs/${id}`))).toEqual(nothing);
    expect(await outcomeOf(live.ask('rival', `/stt/jobs/${id}/events`))).toEqual(nothing);
    const post = { method: 'POST' };
    expect(await outcomeOf(live.ask('rival', `/stt/jobs/${id}/cancel`, post))).toEqual(nothing);
    const remove = { method: 'DELETE' };
    expect(await outcomeOf(live.ask('rival', `/stt/jobs/${id}`, remove))).toEqual(nothing);
    expect((await jsonOf(live.ask('rival', '/stt/jobs'))).jobs).toEqual([]);
    expect((await jsonOf(live.ask('rival', '/stt/jobs?tenant_id=acme'))).jobs).toEqual([]);
    expect(await jsonOf(live.ask('acme', `/stt/jobs/${id}`))).toMatchObject({
      status: 'completed',
      result: { tenant_id: 'acme', transcript: expect.stringMatching(/Good morning/) },
    });
  });

  test('cannot go on in a list that is not its own, and an owner can', async () => {
    for (let count = 0; count < 3; count += 1) await live.accepted('acme', {}, { bytes: SILENCE });
    const first = await jsonOf(live.ask('acme', '/stt/jobs?limit=2'));
    expect(first.jobs).toHaveLength(2);
    const next = `/stt/jobs?limit=2&cursor=${first.next_cursor}`;
    const second = await jsonOf(live.ask('acme', next));
    const ids = [...first.jobs, ...second.jobs].map(({ job_id }: { job_id: string }) => job_id);
    expect(new Set(ids).size).toBe(4);
    expect(second.next_cursor).toBeNull();
    expect(await jsonOf(live.ask('rival', next))).toEqual({ jobs: [], next_cursor: null });
    expect(await outcomeOf(live.ask('acme', '/stt/jobs?cursor=x'))).toEqual([400, 'INPUT_INVALID']);
  });

  test('has its live audio kept only where it has agreed to it', async () => {
    const url = `${live.service.url.replace('http', 'ws')}/stt/realtime`;
    const start = async (tenant: Tenant, fields: object = {}) => {
      const client = new LiveClient(url, { authorization: `Bearer ${KEYS[tenant]}` });
      await client.send({ type: 'start_session', language: 'en', ...fields });
      return client;
    };
    const begun = async (client: Promise<LiveClient>) => {
      const { job_id } = await (await client).hears('session_started');
      await (await client).send({ type: 'end_session' });
      await (await client).closed;
      return job_id;
    };
    const webhook_url = live.receiver.url;
    expect(await begun(start('acme', { webhook_url }))).toEqual(expect.any(String));
    expect(await begun(start('acme', { keep_audio: false }))).toBeNull();
    expect(await begun(start('rival'))).toBeNull();
    const refused = await start('rival', { webhook_url });
    expect(await refused.hears('error')).toMatchObject({ code: 'INPUT_INVALID', fatal: true });
    expect(await refused.closed).toEqual([4400, 'INPUT_INVALID']);
  });

  test('makes a job of its own with the same key for the same recording', async () => {
    const headers = {
      'idempotency-key': 'the-same-key',
      authorization: `Bearer ${KEYS.acme}`,
    };
    const mine = await live.accepted('acme', {}, { bytes: SILENCE, headers });
    expect(await live.accepted('acme', {}, { bytes: SILENCE, headers })).toBe(mine);
    const theirHeaders = { ...headers, authorization: `Bearer ${KEYS.rival}` };
    const theirs = await live.accepted('rival', {}, { bytes: SILENCE, headers: theirHeaders });
    expect(theirs).not.toBe(mine);
    expect((await live.settled('rival', theirs)).result).toMatchObject({ tenant_id: 'rival' });
  });

  test('reads no file of another, of the spool, or of jobs that wait', async () => {
    expect((await live.processAudio('acme', { audio_url: 'own.wav' })).status).toBe(200);
    const waiting = await live.accepted('acme', {}, { bytes: seconds(40) });
    const [upload] = (await readdir(join(live.folder, 'data/uploads'), { recursive: true })).filter(
      (name) => name.includes('/'),
    );
    for (const audio_url of [
      'own.wav',
      '../acme/own.wav',
      'acme/own.wav',
      join(live.folder, 'audio/acme/own.wav'),
      join(live.folder, 'data/uploads', upload ?? 'none'),
      join(live.folder, 'data/jobs.db'),
      join(live.folder, 'spool'),
      'file:///etc/passwd',
    ]) {
      const [status, code] = await outcomeOf(live.processAudio('rival', { audio_url }));
      expect([audio_url, status, code]).toEqual([
        audio_url,
        expect.any(Number),
        expect.stringMatching(/^(?:PATH_FORBIDDEN|AUDIO_NOT_FOUND|URL_FORBIDDEN)$/),
      ]);
    }
    await live.ask('acme', `/stt/jobs/${waiting}`, { method: 'DELETE' });
  });

  test('speaks for itself only, sees its own limits only, and no metrics', async () => {
    expect(await outcomeOf(live.upload('rival', { tenant_id: 'acme' }))).toEqual([
      403,
      'TENANT_FORBIDDEN',
    ]);
    const status = await jsonOf(live.ask('rival', '/stt/status'));
    expect(status).toMatchObject({ tenant: { tenant_id: 'rival' }, engine: null, sessions: 0 });
    expect(JSON.stringify(status)).not.toMatch(/acme/);
    expect((await live.ask('rival', '/metrics')).status).toBe(401);
    const headers = { authorization: `Bearer ${OPERATOR}` };
    expect(await (await live.ask('rival', '/metrics', { headers })).text()).toMatch(
      /tenant="acme"/,
    );
  });

  test('is not held up by one that has used its requests', async () => {
    const small = [1, 2, 3].map(() => live.ask('small', '/stt/status'));
    const statuses = (await Promise.all(small)).map(({ status }) => status);
    expect(statuses.toSorted()).toEqual([200, 200, 429]);
    expect((await live.ask('rival', '/stt/status')).status).toBe(200);
  });

  test('gets messages that are signed with its own secret', async () => {
    const webhook_url = `${live.receiver.url}?token=${SIGNATURE}`;
    const tenants = ['acme', 'rival'] as const;
    const ids = new Map<string, Tenant>();
    for (const tenant of tenants) {
      ids.set(await live.accepted(tenant, { webhook_url }, { bytes: SILENCE }), tenant);
    }
    await expect.poll(() => live.received.length, { timeout: 15_000 }).toBe(2);
    for (const { body, headers } of live.received) {
      const owner = ids.get(headers['webhook-id']?.replace('msg_', '') ?? '');
      for (const tenant of tenants) {
        const verify = () => new Webhook(secretOf(tenant)).verify(body, headers);
        if (tenant === owner) expect(verify()).toMatchObject({ type: 'job.completed' });
        else expect(verify).toThrow();
      }
    }
    const headers = { authorization: `Bearer ${OPERATOR}` };
    const metrics = await (await live.ask('acme', '/metrics', { headers })).text();
    expect(metrics).toMatch(/^stt_webhooks_total\{outcome="delivered"\} \d+$/m);
    expect(metrics).toMatch(/^stt_stage_seconds_count\{stage="vad"\} \d+$/m);
    expect(metrics).toMatch(/^stt_job_wait_seconds_count \d+$/m);
  });
});

test('whatever is sent, no answer is a server error, and every one is as described', async () => {
  const document: ApiDocument & object = await jsonOf(fetch(`${live.service.url}/openapi.json`));
  const description = new ApiDescription(document);
  const id = await live.accepted('rival', {}, { bytes: SILENCE });
  await live.settled('rival', id);
  const material = {
    ids: [id, 'embedded/whisper-tiny.en', 'whisper-1'],
    files: [SILENCE, Buffer.from('not audio'), Buffer.alloc(0)],
    rightFields: { model: 'whisper-1', diarize: false },
  };
  const send = async ({ method, path, url, headers, body }: AnyRequest): Promise<void> => {
    const response = await live.ask('rival', url, {
      method,
      headers: { ...headers },
      ...(body !== undefined && { body: typeof body === 'string' ? body : new Uint8Array(body) }),
    });
    const given = {
      ...{ method, path, status: response.status, body: await response.text() },
      contentType: response.headers.get('content-type') ?? '',
    };
    expect(response.status).toBeLessThan(500);
    expect(description.problemsOf(given)).toEqual([]);
  };
  await fc.assert(fc.asyncProperty(anyRequest(document, material), send), { numRuns: 300 });
});

test('jobs that were accepted survive kill -9 of the process, and end in one result each', async () => {
  const url = `${live.receiver.url}?X-Amz-Signature=${SIGNATURE}`;
  expect((await live.processAudio('acme', { audio_url: url, initial_prompt: PROMPT })).status).toBe(
    200,
  );
  live.received.length = 0;
  const fields = { webhook_url: live.receiver.url, initial_prompt: PROMPT };
  const ids = await Promise.all(
    Array.from({ length: 4 }, () => live.accepted('acme', fields, { bytes: seconds(10) })),
  );
  await expect
    .poll(async () => (await jsonOf(live.ask('acme', '/stt/status'))).jobs.running)
    .toBeGreaterThan(0);
  live.service.child.kill('SIGKILL');
  logs.push((await live.service.ended).stdout);
  await live.start();
  const jobs = await Promise.all(ids.map((id) => live.settled('acme', id)));
  for (const job of jobs) {
    expect(job).toMatchObject({
      status: 'completed',
      result: { transcript: expect.stringMatching(/^Good morning/) },
    });
  }
  expect(Math.max(...jobs.map(({ attempts }: { attempts: number }) => attempts))).toBe(2);
  await expect
    .poll(() => new Set(live.received.map(({ headers }) => headers['webhook-id'])).size)
    .toBe(ids.length);
  expect(await readdir(join(live.folder, 'spool'))).toEqual([]);
});

test('nothing that was said, asked or entrusted is in the log, and requests can be followed', async () => {
  const headers = { 'x-request-id': 'followed-1' };
  const id = await live.accepted('acme', {}, { bytes: SILENCE, headers });
  await live.settled('acme', id);
  live.service.child.kill('SIGTERM');
  const { exitCode, stdout, stderr } = await live.service.ended;
  expect(exitCode).toBe(0);
  const log = [...logs, stdout, stderr].join('');
  expect(log.length).toBeGreaterThan(10_000);
  const secrets = [
    ...Object.values(KEYS),
    ...(['acme', 'rival', 'small'] as const).map(secretOf),
    ...[
      OPERATOR,
      SIGNATURE,
      PROMPT,
      FILE_NAME,
      live.folder,
      live.receiver.url,
      'Good morning',
      'meeting',
    ],
  ];
  expect(secrets.filter((secret) => log.includes(secret))).toEqual([]);
  const lines = log.split('\n').filter((line) => line.includes('followed-1'));
  const ofJob = lines.map((line) => JSON.parse(line)).find((line) => line.jobId === id);
  expect(ofJob).toMatchObject({ message: 'job completed', tenant: 'acme' });
});
