import type { Socket } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { fakeJobServices } from '../../fakes/job-services.ts';
import { heldServices } from './held-services.ts';
import { KeyedService, outcomeOf } from './keyed-service.ts';

/** What is answered, and how it is sent. */
let service: KeyedService;
afterEach(() => service.stop());

const TENANTS = { acme: {}, rival: {} };

test('while an answer is sent its reader has to take it, while it is computed there is time', async () => {
  const { services, finish } = heldServices();
  service = await KeyedService.start({ tenants: TENANTS, services });
  const sockets: Socket[] = [];
  service.service.app.server.on('connection', (socket: Socket) => sockets.push(socket));
  const computed = service.upload('acme', { diarize: 'false' });
  await expect.poll(() => service.service.context.gate.running).toBe(1);
  expect(sockets.at(-1)?.timeout ?? 0).toBe(0);
  const headers = { accept: 'text/event-stream' };
  const events = await service.upload('rival', { diarize: 'false' }, { headers });
  expect(sockets.at(-1)?.timeout).toBe(30_000);
  finish();
  expect((await computed).status).toBe(200);
  expect(await events.text()).toMatch(/^event: result$/m);
});

test('what is for jobs that are not waited for is refused elsewhere by name', async () => {
  service = await KeyedService.start({ tenants: TENANTS, services: fakeJobServices() });
  const key = { headers: { 'idempotency-key': 'k' } };
  const refusal = async (answer: Promise<Response>) => {
    const response = await answer;
    return [response.status, JSON.parse(await response.text()).error.message];
  };
  const keyed = [400, expect.stringMatching(/^Idempotency-Key: /)];
  expect(await refusal(service.upload('acme', {}, key))).toEqual(keyed);
  const openAi = { ...key, path: '/v1/audio/transcriptions' };
  expect(await refusal(service.upload('acme', { model: 'whisper-1' }, openAi))).toEqual(keyed);
  const webhook = service.upload('acme', { webhook_url: 'https://a.example/' });
  expect(await refusal(webhook)).toEqual([400, expect.stringMatching(/^webhook_url: /)]);
  const later = { ...key, path: '/stt/upload?async=true' };
  expect((await service.upload('acme', {}, later)).status).toBe(202);
});

test('a job is cancelled by a request of any type whose body is empty', async () => {
  service = await KeyedService.start({ tenants: TENANTS, services: fakeJobServices() });
  const headers = { 'content-type': 'application/json' };
  const path = '/stt/jobs/job-of-acme/cancel';
  const cancelled = await service.ask('acme', path, { method: 'POST', headers });
  expect(cancelled.status).toBe(200);
  const empty = await service.ask('acme', '/stt/process', { method: 'POST', headers });
  expect(await outcomeOf(empty)).toEqual([400, 'INPUT_INVALID']);
});

test('a translation is answered in OpenAI’s shape, and a field too long is named as it was sent', async () => {
  service = await KeyedService.start({ tenants: TENANTS, services: fakeJobServices() });
  const translate = (fields: Readonly<Record<string, string>>) => {
    const path = '/v1/audio/translations';
    return service.upload('acme', { model: 'whisper-1', ...fields }, { path });
  };
  const text = 'And so my fellow Americans';
  expect(await (await translate({})).json()).toMatchObject({ text, usage: { seconds: 4 } });
  const verbose = await translate({ response_format: 'verbose_json' });
  const shape = { task: 'translate', language: 'english', duration: 4, text };
  expect(await verbose.json()).toMatchObject(shape);
  expect(await (await translate({ response_format: 'text' })).text()).toBe(`${text}\n`);
  const long = await translate({ prompt: 'x'.repeat(4001) });
  expect(await long.json()).toMatchObject({ error: { param: 'prompt' } });
});
