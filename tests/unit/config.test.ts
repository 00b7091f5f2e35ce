import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { loadConfig } from '../../core/config.ts';

/** The environment schema is private: its keys are what a bad value of each is answered with. */
const variablesOf = (path: string, pattern: RegExp): string[] =>
  [...readFileSync(new URL(path, import.meta.url), 'utf8').matchAll(pattern)].map(
    ([, name]) => name!,
  );

test('an empty environment is valid', () => {
  const config = loadConfig({});
  expect(config.logLevel).toBe('info');
  expect(config.engine).toMatchObject({ device: 'auto', computeType: 'auto', threads: 0 });
  expect(config.engine.batchSize).toBeUndefined();
  expect(config.audio).toMatchObject({
    root: undefined,
    allowHttp: false,
    allowPrivateUrls: false,
    maxBytes: 104_857_600,
    maxSec: 3600,
    fetchTimeoutMs: 120_000,
  });
  expect(config.hub.endpoint).toBe('https://huggingface.co');
  expect(config.runpod).toMatchObject({ concurrency: 8, pingIntervalMs: 10_000 });
});

test('alignment models are named by languages, however they are written', () => {
  const { alignment } = loadConfig({
    ALIGNMENT_MODEL: 'Korean=org/name@main, en-US=/folder/a=b',
    ALIGNMENT_PRELOAD: 'kor,eng',
  });
  expect(alignment).toMatchObject({
    models: { ko: 'org/name@main', en: '/folder/a=b' },
    preload: ['ko', 'en'],
  });
  for (const text of ['ko', 'ko=', '=a/b', 'klingon=a/b']) {
    expect(() => loadConfig({ ALIGNMENT_MODEL: text })).toThrow('ALIGNMENT_MODEL');
  }
  expect(() => loadConfig({ ALIGNMENT_PRELOAD: 'ko,klingon' })).toThrow('ALIGNMENT_PRELOAD');
});

test('alignment models to load at the start contradict words timed by attention', () => {
  const env = { ALIGNMENT_PRELOAD: 'ko, en', ALIGNMENT_MEMORY_MB: '700' };
  const { preload, maxBytes } = loadConfig(env).alignment;
  expect([preload, maxBytes]).toEqual([['ko', 'en'], 700_000_000]);
  expect(() => loadConfig({ ...env, ALIGNMENT: 'attention' })).toThrow('ALIGNMENT_PRELOAD');
});

test('every problem is reported at once', () => {
  const env = { DEVICE: 'tpu', MAX_AUDIO_SEC: '-1', HF_ENDPOINT: 'nowhere', LOG_LEVEL: 'loud' };
  for (const name of Object.keys(env)) expect(() => loadConfig(env)).toThrow(name);
});

test('problems never quote a value', () => {
  const env = { DEVICE: 's3cret', RUNPOD_CONCURRENCY: 's3cret', HF_ENDPOINT: 's3cret' };
  expect(() => loadConfig(env)).toThrow(/^(?![\s\S]*s3cret)/);
});

test('an empty text is the same as none', () => {
  const { audio, engine, hub } = loadConfig({ AUDIO_ROOT: '', WHISPER_MODEL: '', HF_TOKEN: '' });
  expect([audio.root, engine.whisperModel, hub.token]).toEqual([undefined, undefined, undefined]);
});

test.each([
  ['1', true],
  ['true', true],
  ['YES', true],
  ['on', true],
  ['0', false],
  ['false', false],
  ['off', false],
  ['', false],
])('the flag %j is %s', (text, expected) => {
  expect(loadConfig({ ALLOW_HTTP_URLS: text }).audio.allowHttp).toBe(expected);
});

test('a flag that is neither yes nor no is refused', () => {
  expect(() => loadConfig({ ALLOW_HTTP_URLS: 'perhaps' })).toThrow('ALLOW_HTTP_URLS');
});

test.each(['0', '33', '1.5', 'many'])('a batch size of %s is refused', (batchSize) => {
  expect(() => loadConfig({ WHISPER_BATCH_SIZE: batchSize })).toThrow('WHISPER_BATCH_SIZE');
});

test('megabytes and seconds become bytes and milliseconds', () => {
  const { audio } = loadConfig({ MAX_AUDIO_MB: '0.5', FETCH_TIMEOUT_SEC: '1.5' });
  expect(audio).toMatchObject({ maxBytes: 524_288, fetchTimeoutMs: 1500 });
});

test('worker mode needs a key and a place for results', () => {
  const worker = { RUNPOD_WEBHOOK_GET_JOB: 'https://api.example/take' };
  expect(() => loadConfig(worker)).toThrow(/RUNPOD_AI_API_KEY/);
  expect(() => loadConfig(worker)).toThrow(/RUNPOD_WEBHOOK_POST_OUTPUT/);
});

test('streamed outputs go where results go, unless a place is set', () => {
  const output = { RUNPOD_WEBHOOK_POST_OUTPUT: 'https://api.example/done' };
  expect(loadConfig(output).runpod.postStreamUrl).toBe('https://api.example/done');
  const stream = { ...output, RUNPOD_WEBHOOK_POST_STREAM: 'https://api.example/stream' };
  expect(loadConfig(stream).runpod.postStreamUrl).toBe('https://api.example/stream');
});

test('a config cannot be changed', () => {
  const config = loadConfig({});
  expect(() => Object.assign(config, { logLevel: 'debug' })).toThrow(TypeError);
  expect(() => Object.assign(config.audio, { maxSec: 1 })).toThrow(TypeError);
});

test('.env.example lists exactly the variables that are read', () => {
  const read = variablesOf('../../core/environment.ts', /^ {2}([A-Z][A-Z0-9_]+): /gm);
  const listed = variablesOf('../../.env.example', /^#([A-Z][A-Z0-9_]+)=/gm);
  expect(read.length).toBeGreaterThan(20);
  expect(listed.toSorted()).toEqual(read.toSorted());
});

test('.env.example explains every variable in the line above it', () => {
  const lines = readFileSync(new URL('../../.env.example', import.meta.url), 'utf8').split('\n');
  for (const [index, line] of lines.entries()) {
    if (/^#[A-Z]/.test(line)) expect(lines[index - 1]).toMatch(/^# \S/);
  }
});

test('.env.example shows the defaults', () => {
  const text = readFileSync(new URL('../../.env.example', import.meta.url), 'utf8');
  const shown = [...text.matchAll(/^#([A-Z][A-Z0-9_]+)=(.+)$/gm)].map(([, name, value]) => [
    name,
    value,
  ]);
  expect(loadConfig(Object.fromEntries(shown))).toEqual(loadConfig({}));
});
