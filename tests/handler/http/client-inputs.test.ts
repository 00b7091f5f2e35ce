import { afterAll, beforeAll, expect, test } from 'vitest';
import { type FakeJobServices, fakeJobServices } from '../../fakes/job-services.ts';
import { KeyedService, outcomeOf } from './keyed-service.ts';

/** What clients send beside what is documented, through the doors of the service. */

const ONE_MEETING = 199_505_756;
let services: FakeJobServices;
let keyed: KeyedService;

beforeAll(async () => {
  services = fakeJobServices();
  keyed = await KeyedService.start({ tenants: { '42': {}, other: {} }, services });
});
afterAll(() => keyed.stop());

const processJson = (input: object, tenant = '42') =>
  keyed.ask(tenant, '/stt/process', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(input),
  });
const lastOptions = () => services.optionsSeen.at(-1);

test('ids that are numbers, and settings that are texts, mean the same in JSON', async () => {
  const ids = { meeting_id: ONE_MEETING, tenant_id: 42, user_id: 7 };
  const settings = { diarize: 'false', temperature: '0.4', language: '', num_speakers: '' };
  const answer = await processJson({ audio_base64: 'AAAA', ...ids, ...settings, async: 'false' });
  expect(await answer.json()).toMatchObject({ meeting_id: '199505756', tenant_id: '42' });
  expect(lastOptions()).toMatchObject({ diarize: null, transcribe: { temperatures: [0.4] } });
});

test("a number is no way around another tenant's name", async () => {
  const answer = await processJson({ audio_base64: 'AAAA', tenant_id: 42 }, 'other');
  expect(await outcomeOf(answer)).toEqual([403, 'TENANT_FORBIDDEN']);
});

test('an asynchronous job is asked for by a text too', async () => {
  const answer = await processJson({ audio_base64: 'AAAA', async: 'true', webhook_url: '' });
  expect(answer.status).toBe(202);
});

test('empty fields of a form are fields that were left out', async () => {
  const empty = ['meeting_id', 'tenant_id', 'user_id', 'language', 'task', 'output_format', 'vad'];
  const more = ['num_speakers', 'temperature', 'keywords', 'diarize', 'async', 'webhook_url'];
  const fields = Object.fromEntries([...empty, ...more].map((name) => [name, '']));
  const answer = await keyed.upload('42', fields);
  expect([answer.status, await answer.json()]).toMatchObject([200, { meeting_id: null }]);
  const withEmptyFields = lastOptions();
  await keyed.upload('42');
  expect(withEmptyFields).toEqual(lastOptions());
});

test('so are those of the form that OpenAI has', async () => {
  const empty = ['language', 'prompt', 'temperature', 'response_format', 'stream', 'include[]'];
  const fields = Object.fromEntries(
    [...empty, 'timestamp_granularities[]', 'chunking_strategy'].map((name) => [name, '']),
  );
  const path = '/v1/audio/transcriptions';
  const answer = await keyed.upload('42', { model: 'whisper-1', ...fields }, { path });
  expect([answer.status, await answer.json()]).toMatchObject([200, { text: expect.any(String) }]);
  const strategy = {
    'chunking_strategy[type]': 'server_vad',
    'chunking_strategy[threshold]': ' 0.7 ',
    'chunking_strategy[prefix_padding_ms]': '',
  };
  await keyed.upload('42', { model: 'whisper-1', stream: 'False', ...strategy }, { path });
  expect(lastOptions()).toMatchObject({ transcribe: { vad: { onsetThreshold: 0.7 } } });
  const wrong = await keyed.upload('42', { model: 'whisper-1', temperature: 'hot' }, { path });
  expect(wrong.status).toBe(400);
});
