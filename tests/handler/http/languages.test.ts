import { afterEach, expect, test } from 'vitest';
import { fakeJobServices } from '../../fakes/job-services.ts';
import { KeyedService, outcomeOf, WAV } from './keyed-service.ts';

const OPENAI = '/v1/audio/transcriptions';
const NO_RECORDING = new Blob(['#EXTM3U\n']);
const UNSUPPORTED = [422, 'LANGUAGE_UNSUPPORTED'];

let service: KeyedService;
afterEach(() => service.stop());

async function start(languages: readonly string[]) {
  const services = fakeJobServices({ recognizer: { modelName: 'fake-whisper', languages } });
  service = await KeyedService.start({ tenants: { acme: {} }, services });
  return services;
}

/** A form with its parts in this order. */
function post(path: string, ...parts: readonly (readonly [string, string | Blob])[]) {
  const body = new FormData();
  for (const [name, value] of parts) body.append(name, value);
  return service.ask('acme', path, { method: 'POST', body });
}

test('a form in a foreign language is refused before its file is read', async () => {
  const { sources } = await start(['en']);
  for (const field of [
    ['language', 'ko-KR'],
    ['languages', 'ko,ja'],
    ['task', 'translate'],
  ] as const) {
    const early = await post('/stt/upload', field, ['file', NO_RECORDING]);
    expect(await outcomeOf(early)).toEqual(UNSUPPORTED);
  }
  const late = await post('/stt/upload', ['file', WAV], ['language', 'Korean']);
  expect(await outcomeOf(late)).toEqual(UNSUPPORTED);
  const read = await post('/stt/upload', ['language', 'en'], ['file', NO_RECORDING]);
  expect(await outcomeOf(read)).toEqual([415, 'AUDIO_UNSUPPORTED']);
  expect(sources).toEqual([]);
});

test('a job that nobody waits for is refused at once, too', async () => {
  const { sources } = await start(['en']);
  const async = await post('/stt/upload?async=true', ['language', 'ko'], ['file', WAV]);
  expect(await outcomeOf(async)).toEqual(UNSUPPORTED);
  const processed = await service.ask('acme', '/stt/process', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ audio_url: 'https://example.com/a.wav', language: 'kor' }),
  });
  expect(await outcomeOf(processed)).toEqual(UNSUPPORTED);
  expect(sources).toEqual([]);
});

test('a form names candidates by repeating the field, by commas or as JSON', async () => {
  const { optionsSeen } = await start(['en', 'ko', 'ja']);
  await post('/stt/upload', ['languages', 'ko'], ['languages', 'en'], ['file', WAV]);
  await post('/stt/upload', ['languages[]', 'Korean'], ['languages[]', 'en-US'], ['file', WAV]);
  await post('/stt/upload', ['languages', 'ko, eng'], ['file', WAV]);
  await post('/stt/upload', ['languages', '["ko","en"]'], ['file', WAV]);
  await post('/stt/upload', ['languages', 'auto'], ['language', ''], ['file', WAV]);
  const seen = optionsSeen.map(({ transcribe: { language, languages } }) => [language, languages]);
  expect(seen).toEqual([...Array(4).fill([null, ['ko', 'en']]), [null, []]]);
});

test('OpenAI’s form takes candidates, and refuses a foreign language before its file is read', async () => {
  const { optionsSeen } = await start(['en', 'ja']);
  const model = ['model', 'whisper-1'] as const;
  const languages = ['languages[]', 'ja'] as const;
  const taken = await post(OPENAI, model, languages, ['languages[]', 'en'], ['file', WAV]);
  expect(taken.status).toBe(200);
  expect(optionsSeen[0]?.transcribe.languages).toEqual(['ja', 'en']);
  const refused = await post(OPENAI, model, ['language', 'ko'], ['file', NO_RECORDING]);
  expect(await outcomeOf(refused)).toEqual([422, 'language_unsupported']);
  const contradiction = await post(OPENAI, model, languages, ['language', 'en'], ['file', WAV]);
  expect(await contradiction.json()).toMatchObject({ error: { param: 'languages' } });
});
