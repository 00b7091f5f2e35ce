import { afterAll, beforeAll, expect, test } from 'vitest';
import { fakeJobServices } from '../../fakes/job-services.ts';
import { KeyedService } from '../http/keyed-service.ts';
import { underAttack } from './under-attack.ts';

/** Bodies that are small enough to be read and large enough to be trouble. */
let service: KeyedService;
beforeAll(async () => {
  const tenants = { acme: { requests_per_minute: 100_000, concurrent_jobs: 64 } };
  service = await KeyedService.start({ tenants, services: fakeJobServices() });
});
afterAll(() => service.stop());

const MOST_BYTES = 10 * 1024 * 1024 - 1024;
const AUDIO = '"audio_url":"a.wav"';
const listed = (count: number, item: (index: number) => string): string =>
  Array.from({ length: count }, (_, index) => item(index)).join(',');

const post = (path: string, body: string) =>
  service.ask('acme', path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body,
  });

const BODIES: Readonly<Record<string, string>> = {
  'known speakers without number': `{${AUDIO},"known_speakers":{${listed(700_000, (i) => `"p${i}":[]`)}}}`,
  'unknown fields without number': `{${AUDIO},${listed(800_000, (i) => `"k${i}":1`)}}`,
  'keywords without number': `{${AUDIO},"keywords":[${listed(1_000_000, () => '"ab"')}]}`,
  'numbers without number': `{${AUDIO},"suppress_tokens":[${listed(4_000_000, () => '1')}]}`,
  'lists in lists': `{${AUDIO},"vad":${'['.repeat(4_000_000)}${']'.repeat(4_000_000)}}`,
  'objects in objects': `{"a":`.repeat(1_500_000),
  'lists side by side': `{${AUDIO},"vad":[${listed(3_000_000, () => '[]')}]}`,
  'one endless text': `{${AUDIO},"initial_prompt":"${'a'.repeat(MOST_BYTES - 100)}"}`,
  'a text of escapes': `{${AUDIO},"initial_prompt":"${'\\"'.repeat(MOST_BYTES / 2 - 100)}"}`,
  'one endless name': `{${AUDIO},"${'n'.repeat(MOST_BYTES - 100)}":1}`,
  'nothing but spaces': `{${AUDIO}${' '.repeat(MOST_BYTES - 100)}}`,
  'escapes for audio': `{"audio_base64":"${'\\"'.repeat(MOST_BYTES / 2 - 100)}"}`,
};

test.each(Object.entries(BODIES))('%s are refused at once and in few words', async (name, body) => {
  const answer = await underAttack(name, service.url, () => post('/stt/process', body));
  expect([400, 413]).toContain(answer.status);
  const text = await answer.text();
  expect(JSON.parse(text).error.code).toMatch(/^(?:INPUT_INVALID|REQUEST_TOO_LARGE)$/);
  expect(text.length).toBeLessThan(500);
});

test('a body without audio is limited to 1 MB, and one with audio is not', async () => {
  const fields = (bytes: number) => `{"audio_url":"a.wav","user_id":"${'u'.repeat(bytes)}"}`;
  const small = await post('/stt/process', fields(1000 * 1024));
  expect([small.status, await small.text()]).toEqual([400, expect.stringContaining('user_id')]);
  const large = await post('/stt/process', fields(1100 * 1024));
  expect(large.status).toBe(413);
  const audio = 'A'.repeat(8 * 1024 * 1024);
  const spoken = await underAttack('base64', service.url, () =>
    post('/stt/process', `{"audio_base64":"${audio}","diarize":false}`),
  );
  expect(spoken.status).toBe(200);
});

test('an answer names ten problems of a thousand, and a log line is as short', async () => {
  const unknown = `{${AUDIO},${listed(1000, (i) => `"field_${i}":1`)}}`;
  const text = await (await post('/stt/process', unknown)).text();
  expect(text).toContain('field_9 and 990 more');
  expect(text).not.toContain('field_10');
  const wrong = `{${AUDIO},"keywords":[${listed(500, () => '1')}]}`;
  expect(await (await post('/stt/process', wrong)).text()).toContain('490 more problems');
  for (const line of service.lines) expect(line.length).toBeLessThan(4096);
});

test('fields of a form are held to the same limits', async () => {
  const forms: Readonly<Record<string, readonly string[]>> = {
    keywords: [`${'a,'.repeat(120_000)}a`],
    known_speakers: [`{${listed(20_000, (i) => `"p${i}":[]`)}}`],
    vad: ['['.repeat(200_000)],
    initial_prompt: Array.from({ length: 8 }, () => 'a'.repeat(200_000)),
  };
  for (const [field, values] of Object.entries(forms)) {
    const body = new FormData();
    for (const value of values) body.append(field, value);
    const answer = await underAttack(`form ${field}`, service.url, () =>
      service.ask('acme', '/stt/upload', { method: 'POST', body }),
    );
    expect([field, answer.status]).toEqual([field, expect.toBeOneOf([400, 413])]);
    expect((await answer.text()).length).toBeLessThan(500);
  }
});

test('a transcript of nothing but opening quotes is written while others are answered', async () => {
  const segment = { start: 0, end: 30, text: '“'.repeat(20_000) };
  const body = (output_format: string) =>
    JSON.stringify({ segments: Array.from({ length: 20 }, () => segment), output_format });
  const answer = await underAttack('quotes', service.url, () => post('/stt/format', body('srt')));
  expect(answer.status).toBe(200);
});

test('times beyond four months are no times', async () => {
  const body = (end: number) =>
    JSON.stringify({ segments: [{ start: 0, end, text: 'a' }], output_format: 'srt' });
  expect((await post('/stt/format', body(1e7))).status).toBe(200);
  expect((await post('/stt/format', body(1e7 + 1))).status).toBe(400);
  expect((await post('/stt/format', body(1e300))).status).toBe(400);
});
