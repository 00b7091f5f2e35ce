import { once } from 'node:events';
import { type AddressInfo, connect } from 'node:net';
import { DeepgramClient } from '@deepgram/sdk';
import Fastify, { type FastifyInstance } from 'fastify';
import OpenAI from 'openai';
import { OpenAIRealtimeWS } from 'openai/realtime/ws';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import WebSocket from 'ws';
import { z } from 'zod';
import { SAMPLE_RATE_HZ } from '../../../audio/time.ts';
import { countWordErrors, errorRate } from '../../../bench/word-errors.ts';
import { createLogger } from '../../../core/logger.ts';
import type { RealtimeCaller } from '../../../handler/realtime/contracts.ts';
import { LiveSessions } from '../../../handler/realtime/live-sessions.ts';
import { pcm16Bytes } from '../../../handler/realtime/pcm16.ts';
import { registerRealtime } from '../../../handler/realtime/register-realtime.ts';
import type { LoadedModels } from '../../../models/load-models.ts';
import { DEFAULT_TRANSCRIBE_OPTIONS } from '../../../pipeline/options.ts';
import { transcribe } from '../../../pipeline/transcribe.ts';
import { sampleWaveform } from '../../golden/shared-data.ts';
import { describeTelephone } from './describe-telephone.ts';
import { describeUsedUp, KEY_OF_ONE } from './describe-used-up.ts';
import { resultOf } from './listen-results.ts';
import { type Heard, LiveClient } from './live-client.ts';
import { at24kHz, Pace, pieces } from './played-audio.ts';
import { engineWindows, loadEngine } from './real-engine.ts';

const KEY = 'secret';
const WAIT = { timeout: 60_000 };
const SAMPLE = sampleWaveform().slice(0, 12 * SAMPLE_RATE_HZ);
const SILENCE = new Float32Array(2 * SAMPLE_RATE_HZ);
/** One utterance: "Good morning everyone. Let's start the weekly meeting with the project status." */
const GREETING = SAMPLE.slice(0, 4.9 * SAMPLE_RATE_HZ);
const logger = createLogger('silent', { write: () => {} });
const pace = new Pace();
let engine: LoadedModels;
let sessions: LiveSessions;
let app: FastifyInstance;
let port: number;
let offline: string;

beforeAll(async () => {
  engine = await loadEngine();
  offline = await offlineText();
  const recognizer = pace.watched(engineWindows(engine));
  const { voiceActivity } = engine;
  sessions = new LiveSessions({ recognizer, voiceActivity, logger });
  app = Fastify();
  const callers: Record<string, RealtimeCaller> = {
    [KEY]: { tenant: 't', keepsAudio: false },
    [KEY_OF_ONE]: { tenant: 'one', keepsAudio: false, maxSessions: 1 },
  };
  const identify = (key: string | undefined) => callers[key ?? ''];
  const model = () => 'embedded';
  await registerRealtime(app, { sessions: () => sessions, identify, model, logger });
  app.addHook('onClose', () => sessions.close());
  await app.listen({ port: 0, host: '127.0.0.1' });
  port = (app.server.address() as AddressInfo).port;
});
afterAll(async () => {
  await app.close();
  await engine.close();
});

async function offlineText(): Promise<string> {
  const read = async ({ start, end }: { start: number; end: number }) => SAMPLE.slice(start, end);
  const options = { ...DEFAULT_TRANSCRIBE_OPTIONS, language: 'en' };
  const { signal } = new AbortController();
  const waveform = { sampleCount: SAMPLE.length, read };
  const { segments } = await transcribe(waveform, options, engine, {}, signal);
  return segments.map(({ text }) => text).join(' ');
}

const expectAsOffline = (text: string): void =>
  expect(errorRate(countWordErrors(offline, text))).toBeLessThanOrEqual(0.07);

function deepgram(apiKey: string): DeepgramClient {
  const [base, production] = [`http://127.0.0.1:${port}`, `ws://127.0.0.1:${port}`];
  const environment = { base, production, agent: production, agentRest: base };
  return new DeepgramClient({ apiKey, environment });
}

test("Deepgram's client hears interim and final results, which never change", async () => {
  const connection = await deepgram(KEY).listen.v1.connect({
    ...{ model: 'nova-3', language: 'en-US', encoding: 'linear16', sample_rate: 16_000 },
    ...{ interim_results: 'true', vad_events: 'true', utterance_end_ms: 1000 },
    ...{ punctuate: 'true', smart_format: 'true', reconnectAttempts: 0 },
  });
  const messages: Heard[] = [];
  const closed = new Promise((resolve) => connection.on('close', resolve));
  connection.on('message', (message) => messages.push(Object(message)));
  connection.connect();
  await connection.waitForOpen();
  connection.sendKeepAlive({ type: 'KeepAlive' });
  await pace.play([...pieces(SAMPLE), ...pieces(SILENCE)], (piece) => connection.sendMedia(piece));
  connection.sendCloseStream({ type: 'CloseStream' });
  await closed;
  const results = messages.filter(({ type }) => type === 'Results').map(resultOf);
  const finals = results.filter(({ is_final }) => is_final);
  expect(results.length).toBeGreaterThan(finals.length);
  expectAsOffline(finals.map(({ transcript }) => transcript).join(' '));
  const words = finals.flatMap((final) => final.words);
  expect(words.map(({ start }) => start)).toEqual(
    words.map(({ start }) => start).toSorted(byValue),
  );
  expect(words.slice(0, 3).map(({ word }) => word)).toEqual(['good', 'morning', 'everyone']);
  expect(words[2]?.punctuated_word).toMatch(/^everyone[.,]$/);
  expect(finals.at(-1)?.speech_final).toBe(true);
  const types = messages.map(({ type }) => type);
  expect(types).toEqual(expect.arrayContaining(['SpeechStarted', 'UtteranceEnd']));
  expect(messages.at(-1)).toMatchObject({ type: 'Metadata', duration: 14, models: ['embedded'] });
});

const byValue = (a: number, b: number): number => a - b;

test('Finalize is answered by what was said before it; a key may be a subprotocol', async () => {
  const client = new LiveClient(
    `ws://127.0.0.1:${port}/v1/listen?encoding=linear16&channels=2&sample_rate=16000`,
    {},
    ['token', KEY],
  );
  const stereo = Float32Array.from({ length: 2 * GREETING.length }, (_, sample) =>
    sample % 2 === 0 ? GREETING[sample / 2]! : 0,
  );
  // Cut in the middle of frames.
  const bytes = pcm16Bytes(stereo);
  await client.send(bytes.subarray(0, 100_001), bytes.subarray(100_001), { type: 'Finalize' });
  const results = resultOf(await client.hears('Results'));
  expect(results).toMatchObject({ is_final: true, from_finalize: true });
  expect(results.transcript).toMatch(/^good morning.*project status/i);
  await client.send({ type: 'Mumble' });
  expect(await client.hears('Error')).toMatchObject({ variant: 'INPUT_INVALID' });
  await client.send({ type: 'Finalize' }, { type: 'CloseStream' });
  expect(await client.closed).toEqual([1000, 'ended']);
  expect(client.heard.filter(({ from_finalize }) => from_finalize)).toHaveLength(2);
});

async function refused(path: string, key = KEY): Promise<unknown[]> {
  const headers = { authorization: `Token ${key}` };
  const socket = new WebSocket(`ws://127.0.0.1:${port}${path}`, { headers });
  const [, response] = await once(socket, 'unexpected-response');
  let body = '';
  for await (const piece of response) body += String(piece);
  return [response.statusCode, JSON.parse(body)];
}

test('an upgrade is refused with a status, and with the words of the protocol', async () => {
  const auth = { err_code: 'INVALID_AUTH' };
  expect(await refused('/v1/listen', 'wrong')).toMatchObject([401, auth]);
  for (const query of ['diarize=true', 'language=xx', 'encoding=mp3', 'multichannel=true']) {
    const [name] = query.split('=');
    const told = { err_code: 'INVALID_QUERY_PARAMETER', err_msg: expect.stringContaining(name!) };
    expect(await refused(`/v1/listen?${query}`)).toMatchObject([400, told]);
  }
  const error = { type: 'authentication_error', code: 'unauthenticated' };
  expect(await refused('/v1/realtime', 'wrong')).toMatchObject([401, { error }]);
  expect(await refused('/v1/realtime?intent=chat')).toMatchObject([
    400,
    { error: { param: 'intent' } },
  ]);
});

const openai = (apiKey: string) => new OpenAI({ apiKey, baseURL: `http://127.0.0.1:${port}/v1` });

test("OpenAI's client hears each utterance as an item whose deltas are its transcript", async () => {
  // Its client speaks TLS only; the test leads its socket around that.
  const options = { createConnection: () => connect(port, '127.0.0.1') };
  const client = new OpenAIRealtimeWS({ model: 'gpt-4o-transcribe', options }, openai(KEY));
  const events: Heard[] = [];
  client.on('event', (event) => events.push(Object(event)));
  client.on('error', () => undefined);
  await once(client.socket, 'open');
  const transcription = { model: 'gpt-4o-transcribe', language: 'en' };
  const turn_detection = { type: 'server_vad', silence_duration_ms: 500 } as const;
  const input = { transcription, turn_detection };
  const include = ['item.input_audio_transcription.logprobs' as const];
  const session = { type: 'transcription', audio: { input }, include } as const;
  client.send({ type: 'session.update', session });
  await pace.play(pieces(at24kHz(SAMPLE), 24_000), (piece) =>
    client.send({ type: 'input_audio_buffer.append', audio: piece.toString('base64') }),
  );
  client.send({ type: 'input_audio_buffer.commit' });
  const all = (suffix: string) => events.filter(({ type }) => type.endsWith(suffix));
  const heardUntilMs = () => Number(all('speech_stopped').at(-1)?.['audio_end_ms'] ?? 0);
  const isDone = () => heardUntilMs() > 10_000 && all('completed').length === all('stopped').length;
  await expect.poll(isDone, WAIT).toBe(true);
  client.close();
  expect(events.slice(0, 2).map(({ type }) => type)).toEqual([
    'session.created',
    'session.updated',
  ]);
  expect(events[1]!['session']).toMatchObject({
    type: 'transcription',
    include,
    audio: { input: { format: { type: 'audio/pcm', rate: 24_000 }, transcription } },
  });
  expectAsOffline(
    all('completed')
      .map(({ transcript }) => transcript)
      .join(' '),
  );
  expect(all('.delta').length).toBeGreaterThan(all('completed').length);
  for (const { item_id, transcript, logprobs } of all('completed')) {
    expect(tokensOf(logprobs).join('')).toBe(transcript);
    const own = events.filter((event) => event['item_id'] === item_id);
    const deltas = own.flatMap(({ delta }) => delta ?? []);
    expect(deltas.join('')).toBe(transcript);
    const order = own.map(({ type }) => type).filter((type) => type.startsWith('input_audio'));
    expect(order.map((type) => type.split('.')[1])).toEqual([
      'speech_started',
      'speech_stopped',
      'committed',
    ]);
  }
  const ids = all('committed').map(({ item_id }) => item_id);
  const previous = all('committed').map(({ previous_item_id }) => previous_item_id);
  expect(previous).toEqual([null, ...ids.slice(0, -1)]);
  await expect.poll(() => sessions.count, WAIT).toBe(0);
});

/** Of a list of OpenAI's log probabilities, each of which must be one. */
const tokensOf = (logprobs: unknown): string[] =>
  LogProbs.parse(logprobs).map(({ token, bytes }) => {
    expect(Buffer.from(bytes).toString()).toBe(token);
    return token;
  });

const LogProbs = z.array(
  z.strictObject({ token: z.string(), logprob: z.number().max(0), bytes: z.array(z.number()) }),
);

test('without turn detection an item is what the client commits, and what it clears is not heard', async () => {
  const { value, session: granted } = await openai(KEY).realtime.clientSecrets.create({
    session: { type: 'transcription' },
  });
  expect(granted).toMatchObject({ id: expect.stringMatching(/^sess_/), type: 'transcription' });
  const protocols = ['realtime', `openai-insecure-api-key.${value}`, 'openai-beta.realtime-v1'];
  const url = `ws://127.0.0.1:${port}/v1/realtime?intent=transcription`;
  const client = new LiveClient(url, {}, protocols);
  const append = (waveform: Float32Array) => ({
    type: 'input_audio_buffer.append',
    audio: pcm16Bytes(at24kHz(waveform)).toString('base64'),
  });
  const session = { input_audio_format: 'pcm16', turn_detection: null };
  await client.send({ type: 'input_audio_buffer.commit', event_id: 'mine' });
  await client.send({ type: 'transcription_session.update', session });
  await client.send(append(GREETING), { type: 'input_audio_buffer.commit' });
  await client.send(append(SAMPLE.slice(4.9 * SAMPLE_RATE_HZ)), {
    type: 'input_audio_buffer.clear',
  });
  await client.send(append(GREETING), { type: 'input_audio_buffer.commit' });
  await client.hears('transcription_session.updated', (event) => event['session'] !== undefined);
  expect(await client.hears('error')).toMatchObject({
    error: { type: 'invalid_request_error', event_id: 'mine' },
  });
  const completed = () => client.heard.filter(({ type }) => type.endsWith('completed'));
  await expect.poll(() => completed().length, WAIT).toBe(2);
  for (const { transcript, usage, logprobs } of completed()) {
    // In 8 bits a word may stand before it; what is tested is whose sound it is.
    expect(transcript).toMatch(/good morning.*project status/i);
    expect(transcript).not.toMatch(/engine/);
    expect(logprobs).toBeUndefined();
    expect(usage).toMatchObject({ type: 'duration', seconds: expect.closeTo(4.9, 1) });
  }
  const types = client.heard.map(({ type }) => type);
  expect(types).toContain('input_audio_buffer.cleared');
  expect(types).not.toContain('conversation.item.added');
  await client.send({ type: 'response.create' }, { type: 'session.update', session: {} });
  await client.hears('session.updated');
  expect(client.heard.filter(({ type }) => type === 'error')).toHaveLength(2);
  client.cut();
  await client.closed;
  expect(await refused('/v1/realtime', value)).toMatchObject([401, {}]); // It has been used.
});

describe('telephone audio', () =>
  describeTelephone(() => ({ port, key: KEY, waveform: GREETING })));

describe('what is used up', () => describeUsedUp(() => port));
