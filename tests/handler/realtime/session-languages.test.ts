import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import Fastify, { type FastifyInstance } from 'fastify';
import { afterEach, expect, test } from 'vitest';
import WebSocket from 'ws';
import { createLogger } from '../../../core/logger.ts';
import type { SessionWindow } from '../../../handler/realtime/contracts.ts';
import { LiveSessions } from '../../../handler/realtime/live-sessions.ts';
import { pcm16Bytes } from '../../../handler/realtime/pcm16.ts';
import { registerRealtime } from '../../../handler/realtime/register-realtime.ts';
import { ScriptedRefinement } from '../../fakes/scripted-refinement.ts';
import { levelRecognizer, levelVoiceActivity, spokenLevels } from '../../fakes/spoken-levels.ts';
import { LiveClient } from './live-client.ts';

const ENGLISH = { modelName: 'tiny.en', languages: ['en'] };
const MANY = { modelName: 'base', languages: ['en', 'ko', 'ja', 'zh'] };
const SPEECH = pcm16Bytes(spokenLevels(8));
const logger = createLogger('silent', { write: () => {} });

let app: FastifyInstance;
afterEach(() => app.close());

/** Live sessions with words that are levels; `asked` is what their windows ask for. */
async function serve(
  model: LiveSessionsOptions['model'],
  heardAs: (text: string) => { readonly language: string; readonly text: string } = (text) => ({
    language: 'en',
    text,
  }),
) {
  const asked: Pick<SessionWindow, 'language' | 'languages'>[] = [];
  const refinement = new ScriptedRefinement();
  const { recognize } = levelRecognizer();
  const sessions = new LiveSessions({
    recognizer: {
      recognize: (window, signal) => {
        asked.push({ language: window.language, languages: window.languages ?? [] });
        // Never certain of the language: every window asks for it again.
        return recognize(window, signal).then(({ words, ...heard }) => ({
          ...heard,
          languageProbability: 0.3,
          language: heardAs('').language,
          words: words.map((word) => ({ ...word, text: heardAs(word.text).text })),
        }));
      },
    },
    voiceActivity: levelVoiceActivity(),
    logger,
    refinement,
    model,
  });
  app = Fastify();
  const identify = () => ({ tenant: null, keepsAudio: true });
  await registerRealtime(app, { sessions: () => sessions, identify, logger });
  app.addHook('onClose', () => sessions.close());
  await app.listen({ port: 0, host: '127.0.0.1' });
  const url = `ws://127.0.0.1:${(app.server.address() as AddressInfo).port}`;
  return { asked, refinement, url };
}
type LiveSessionsOptions = ConstructorParameters<typeof LiveSessions>[0];

/** The first answer to a session that starts like this. */
async function answerTo(url: string, start: object): Promise<object | undefined> {
  const client = new LiveClient(`${url}/stt/realtime`);
  await client.send({ type: 'start_session', ...start });
  await expect.poll(() => client.heard.length).toBeGreaterThan(0);
  client.cut();
  return client.heard[0];
}

test.each([{ language: 'ko' }, { languages: ['ko', 'ja'] }, { languages: ['Korean'] }])(
  'a model of English refuses %j at the start, before any audio',
  async (start) => {
    const { url, asked } = await serve(ENGLISH);
    const refused = { type: 'error', code: 'LANGUAGE_UNSUPPORTED', fatal: true };
    expect(await answerTo(url, start)).toMatchObject(refused);
    expect(asked).toEqual([]);
  },
);

test.each([{}, { language: 'auto' }, { language: 'en-GB' }, { languages: ['ko', 'en'] }])(
  'a model of English takes %j',
  async (start) => {
    const { url } = await serve(ENGLISH);
    expect(await answerTo(url, start)).toMatchObject({ type: 'session_started' });
  },
);

test('workers whose model is not known refuse for themselves', async () => {
  const { url } = await serve(undefined);
  expect(await answerTo(url, { language: 'ko' })).toMatchObject({ type: 'session_started' });
});

test.each([
  [{ language: 'ja', languages: ['ko', 'en'] }, /^languages: must have the language/],
  [{ language: 'klingon' }, /^language: expected a language code/],
  [{ languages: ['ko', 'klingon'] }, /^languages\[1\]: expected a language code/],
  [{ languages: 'ko' }, /^languages: /],
])('%j is not understood', async (start, message) => {
  const { url } = await serve(MANY);
  const expected = { code: 'INPUT_INVALID', message: expect.stringMatching(message) };
  expect(await answerTo(url, start)).toMatchObject(expected);
});

test('candidates limit every detection, and go with the audio to the refined transcript', async () => {
  const { url, asked, refinement } = await serve(MANY);
  const client = new LiveClient(`${url}/stt/realtime`);
  const languages = ['Korean', 'zh_TW'];
  await client.send({ type: 'start_session', languages }, SPEECH, { type: 'finalize' });
  await client.hears('finalized');
  await client.send(SPEECH, { type: 'end_session' });
  await client.hears('session_ended');
  expect(await client.hears('session_started')).toMatchObject({ language: null });
  expect(asked.length).toBeGreaterThan(1);
  expect(new Set(asked.map((window) => JSON.stringify(window)))).toEqual(
    new Set([JSON.stringify({ language: null, languages: ['ko', 'zh'] })]),
  );
  expect(refinement.handedOver).toMatchObject([{ language: null, languages: ['ko', 'zh-TW'] }]);
});

test('a single candidate is given, and the session says the code of a language', async () => {
  const { url, asked } = await serve(MANY);
  const client = new LiveClient(`${url}/stt/realtime`);
  await client.send(
    { type: 'start_session', language: 'zh_Hant_TW', languages: ['zh', 'ko'] },
    SPEECH,
    { type: 'end_session' },
  );
  expect(await client.hears('session_started')).toMatchObject({ language: 'zh' });
  await client.hears('session_ended');
  expect(asked[0]?.language).toBe('zh');
});

test('Deepgram’s detect_language names candidates', async () => {
  const { url, asked } = await serve(MANY);
  const query = 'encoding=linear16&detect_language=ko&detect_language=en-US';
  const client = new LiveClient(`${url}/v1/listen?${query}`);
  await client.send(SPEECH, { type: 'CloseStream' });
  await client.hears('Metadata');
  expect(asked[0]).toEqual({ language: null, languages: ['ko', 'en'] });
});

test.each([
  ['language=ja&detect_language=ko&detect_language=en', 'detect_language: must have'],
  ['detect_language=ko&detect_language=true', 'detect_language: auto stands alone'],
])('Deepgram’s query %s is refused', async (query, message) => {
  const { url } = await serve(MANY);
  const socket = new WebSocket(`${url}/v1/listen?${query}`);
  const [, response] = await once(socket, 'unexpected-response');
  let body = '';
  for await (const piece of response) body += String(piece);
  expect(response.statusCode).toBe(400);
  expect(body).toContain(message);
});

test('OpenAI’s sessions take candidates beside the language', async () => {
  const { url, asked } = await serve(MANY);
  const client = new LiveClient(`${url}/v1/realtime?intent=transcription`);
  const update = (transcription: object) => ({
    type: 'session.update',
    session: { type: 'transcription', audio: { input: { transcription } } },
  });
  await client.send(update({ languages: ['ko', 'English'] }), update({ language: 'ja' }));
  const error = { message: expect.stringMatching(/^session\.languages: must have the language/) };
  expect(await client.hears('error')).toMatchObject({ error });
  const audio = SPEECH.toString('base64');
  await client.send({ type: 'input_audio_buffer.append', audio });
  await expect.poll(() => asked[0]).toEqual({ language: null, languages: ['ko', 'en'] });
  client.cut();
});

test.each([
  [{ language: 'zh' }, '软体'],
  [{ language: 'zh-TW' }, '軟體'],
  [{ languages: ['ko', 'zh-Hant'] }, '軟體'],
  [{}, '软体'],
  [{ language: 'zh', chinese_script: 'traditional' }, '軟體'],
  [{ language: 'zh-TW', chinese_script: 'keep' }, '軟体'],
])('a session that starts with %j hears Chinese as %s, partly and finally', async (start, text) => {
  const { url, refinement } = await serve(MANY, () => ({ language: 'zh', text: '軟体' }));
  const client = new LiveClient(`${url}/stt/realtime`);
  await client.send({ type: 'start_session', ...start }, SPEECH, { type: 'end_session' });
  await client.hears('session_ended');
  const heard = client.heard.filter(({ type }) => /^transcript_(?:partial|final)$/.test(type));
  const texts = heard.map((event) => String(event['text']).replaceAll(/\s/g, ''));
  expect(texts.filter((said) => said !== '').length).toBeGreaterThan(0);
  expect(texts.join('').replaceAll(text, '')).toBe('');
  const { chinese_script = null } = start as { chinese_script?: string };
  expect(refinement.handedOver).toMatchObject([{ chineseScript: chinese_script }]);
});

test('Deepgram’s language zh-TW is written in traditional characters', async () => {
  const { url } = await serve(MANY, () => ({ language: 'zh', text: '軟体' }));
  const client = new LiveClient(`${url}/v1/listen?encoding=linear16&language=zh-TW`);
  await client.send(SPEECH, { type: 'CloseStream' });
  await client.hears('Metadata');
  expect(JSON.stringify(client.heard)).toContain('軟體');
  expect(JSON.stringify(client.heard)).not.toContain('軟体');
});
