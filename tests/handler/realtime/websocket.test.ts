import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Fastify, { type FastifyInstance } from 'fastify';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import WebSocket from 'ws';
import { SAMPLE_RATE_HZ } from '../../../audio/time.ts';
import { countWordErrors, errorRate } from '../../../bench/word-errors.ts';
import { createLogger } from '../../../core/logger.ts';
import type { RealtimeCaller } from '../../../handler/realtime/contracts.ts';
import { LiveSessions } from '../../../handler/realtime/live-sessions.ts';
import { pcm16Bytes } from '../../../handler/realtime/pcm16.ts';
import {
  type RealtimeOptions,
  registerRealtime,
} from '../../../handler/realtime/register-realtime.ts';
import type { LiveSessionsOptions } from '../../../handler/realtime/session-contracts.ts';
import type { LoadedModels } from '../../../models/load-models.ts';
import { DEFAULT_TRANSCRIBE_OPTIONS } from '../../../pipeline/options.ts';
import { transcribe } from '../../../pipeline/transcribe.ts';
import { runFfmpegForFixture } from '../../fakes/audio-workbench.ts';
import { ScriptedRefinement } from '../../fakes/scripted-refinement.ts';
import { sampleWaveform } from '../../golden/shared-data.ts';
import { LiveClient, textOf } from './live-client.ts';
import { engineWindows, loadEngine } from './real-engine.ts';

const SAMPLE = sampleWaveform().slice(0, 12 * SAMPLE_RATE_HZ);
/** Half a second each. */
const PIECES = Array.from({ length: 24 }, (_, piece) =>
  pcm16Bytes(SAMPLE.slice((piece * SAMPLE_RATE_HZ) / 2, ((piece + 1) * SAMPLE_RATE_HZ) / 2)),
);
const START = { type: 'start_session', session_id: 's1', tenant_id: 't', language: 'en' };
const END = { type: 'end_session' };
const logger = createLogger('silent', { write: () => {} });
const started: FastifyInstance[] = [];
const folders: string[] = [];
let engine: LoadedModels;
let offline: string;

beforeAll(async () => {
  engine = await loadEngine();
  const read = async ({ start, end }: { start: number; end: number }) => SAMPLE.slice(start, end);
  const options = { ...DEFAULT_TRANSCRIBE_OPTIONS, language: 'en' };
  const { signal } = new AbortController();
  const waveform = { sampleCount: SAMPLE.length, read };
  const { segments } = await transcribe(waveform, options, engine, {}, signal);
  offline = segments.map(({ text }) => text).join(' ');
});
afterAll(() => engine.close());
afterEach(async () => {
  for (const app of started.splice(0)) await app.close();
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true });
});

const ANYONE: RealtimeCaller = { tenant: null, keepsAudio: true };

async function serve(
  sessionOptions: Partial<LiveSessionsOptions> = {},
  options: Partial<RealtimeOptions> = {},
) {
  const recognizer = engineWindows(engine);
  const { voiceActivity } = engine;
  const sessions = new LiveSessions({ recognizer, voiceActivity, logger, ...sessionOptions });
  const app = Fastify();
  started.push(app);
  const identify = () => ANYONE;
  await registerRealtime(app, { sessions: () => sessions, identify, logger, ...options });
  app.addHook('onClose', () => sessions.close());
  await app.listen({ port: 0, host: '127.0.0.1' });
  const { port } = app.server.address() as AddressInfo;
  return { app, sessions, url: `ws://127.0.0.1:${port}/stt/realtime` };
}

const chunk = (bytes: Buffer, seq?: number) => ({
  type: 'audio_chunk',
  audio_data: bytes.toString('base64'),
  ...(seq !== undefined && { seq }),
});

async function encodedSample(codec: readonly string[]): Promise<Buffer> {
  const folder = await mkdtemp(join(tmpdir(), 'stt-test-'));
  folders.push(folder);
  const [input, output] = [join(folder, 'in.pcm'), join(folder, 'out')];
  await writeFile(input, pcm16Bytes(SAMPLE));
  const raw = ['-f', 's16le', '-ar', '16000', '-ac', '1', '-i', input];
  await runFfmpegForFixture([...raw, ...codec, output]);
  return await readFile(output);
}

const expectAsOffline = (text: string): void =>
  expect(errorRate(countWordErrors(offline, text))).toBeLessThanOrEqual(0.07);

test('what is spoken comes back as partials and finals, and the refined transcript at the end', async () => {
  const refinement = new ScriptedRefinement();
  const { url } = await serve({ refinement });
  const client = new LiveClient(url);
  const start = { ...START, meeting_id: 'm1', diarize: true };
  await client.send(start, ...PIECES.map((bytes) => chunk(bytes)), END);
  const begun = await client.hears('session_started');
  expect(begun).toMatchObject({ session_id: 's1', epoch: 1, job_id: expect.any(String) });
  const { job_id } = begun;
  const ended = { reason: 'client', audio_duration: 12, refined: true, job_id };
  expect(await client.hears('session_ended')).toMatchObject(ended);
  const refined = await client.hears('transcript_refined');
  const result = { meeting_id: 'm1', transcript: 'refined' };
  expect(refined).toMatchObject({ job_id, status: 'completed', result, error: null });
  expect(refinement.handedOver).toMatchObject([{ jobId: job_id, bytes: 44 + 4 * SAMPLE.length }]);
  expect(await client.closed).toEqual([1000, 'ended']);
  expectAsOffline(client.text);
  expect(client.heard.some(({ type }) => type === 'speech_started')).toBe(true);
  expect(client.heard.findLast(({ type }) => type === 'audio_ack')).toMatchObject({ seq: 24 });
  const words = client.finals.flatMap((final) => final['words'] as { speaker?: string }[]);
  const speakers = words.flatMap(({ speaker }) => speaker ?? []);
  expect(speakers.length).toBeGreaterThan(0);
  for (const speaker of speakers) expect(speaker).toMatch(/^SPEAKER_0\d$/);
  const seqs = client.heard.flatMap(({ event_seq }) => event_seq ?? []);
  expect(seqs).toEqual(seqs.map((_, index) => index + 1));
});

/** Speaks until the first words are final, in the middle of a sentence. */
async function speakUntilFinal(client: LiveClient): Promise<unknown> {
  const numbered = PIECES.map((bytes, index) => chunk(bytes, index + 1));
  await client.send(START, ...numbered.slice(0, 10));
  await client.hears('transcript_partial');
  await client.send(...numbered.slice(10, 15));
  await client.hears('transcript_final');
  return (await client.hears('session_started'))['resume_token'];
}

test('a cut session goes on where it was, nothing lost or doubled, and equals an undisturbed one', async () => {
  const { url } = await serve();
  const first = new LiveClient(url);
  const resume_token = await speakUntilFinal(first);
  first.cut();
  await first.closed;
  const last = first.heard.findLast(({ event_seq }) => event_seq !== undefined);
  const second = new LiveClient(url);
  const resume = { type: 'resume_session', session_id: 's1', resume_token };
  await second.send({ ...resume, last_event_seq: last?.['event_seq'] });
  const { last_seq } = await second.hears('session_resumed');
  expect(last_seq).toBeGreaterThan(0);
  // The client is not sure what has arrived, and sends more than is missing.
  const again = PIECES.map((bytes, index) => chunk(bytes, index + 1)).slice(5);
  await second.send(...again, END);
  await second.hears('session_ended');
  expectAsOffline(textOf([...first.finals, ...second.finals]));
  const ranges = [...first.finals, ...second.finals].flatMap(
    ({ words }) => words as { start: number }[],
  );
  const starts = ranges.map(({ start }) => start);
  expect(starts).toEqual(starts.toSorted((a, b) => a - b));
});

test('a restarted gateway takes up its sessions', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'stt-test-'));
  folders.push(dataDir);
  const before = await serve({ dataDir });
  const first = new LiveClient(before.url);
  const resume_token = await speakUntilFinal(first);
  await before.app.close();
  expect(await first.closed).toEqual([1012, 'restart']);
  const after = await serve({ dataDir });
  expect(await after.sessions.restore()).toBe(1);
  const second = new LiveClient(after.url);
  const last_event_seq = first.heard.findLast(({ event_seq }) => event_seq !== undefined)![
    'event_seq'
  ];
  await second.send({ type: 'resume_session', session_id: 's1', resume_token, last_event_seq });
  const { last_seq, epoch } = await second.hears('session_resumed');
  expect(epoch).toBe(2);
  const missing = PIECES.map((bytes, index) => chunk(bytes, index + 1)).slice(Number(last_seq));
  await second.send(...missing, END);
  await second.hears('session_ended');
  expectAsOffline(textOf([...first.finals, ...second.finals]));
  await second.closed;
  await expect.poll(() => readdir(join(dataDir, 'realtime'))).toEqual([]);
});

test('binary float32 at 48 kHz is understood, and finalize answers before the end', async () => {
  const { url } = await serve();
  const client = new LiveClient(url);
  const float32 = Buffer.alloc(3 * 4 * 5 * SAMPLE_RATE_HZ);
  for (let sample = 0; sample < 15 * SAMPLE_RATE_HZ; sample++) {
    const [at, part] = [Math.floor(sample / 3), (sample % 3) / 3];
    float32.writeFloatLE(SAMPLE[at]! * (1 - part) + SAMPLE[at + 1]! * part, 4 * sample);
  }
  await client.send({ ...START, encoding: 'float32', sample_rate: 48_000 }, float32);
  await client.hears('audio_ack', ({ seq }) => seq === 1);
  await client.send({ type: 'finalize' });
  await client.hears('finalized');
  expect(client.text).toMatch(/^Good morning everyone.*project status/);
  await client.send({ type: 'pause' });
  await client.hears('session_paused');
  await client.send(float32.subarray(0, 400));
  expect(await client.hears('error')).toMatchObject({ code: 'INPUT_INVALID', fatal: false });
  await client.send({ type: 'resume' }, END);
  await client.hears('session_ended');
});

test('what a browser records, Opus in WebM, is understood piece by piece', async () => {
  const { url } = await serve();
  const client = new LiveClient(url);
  const webm = await encodedSample(['-c:a', 'libopus', '-b:a', '32k', '-f', 'webm']);
  const pieces = Array.from({ length: Math.ceil(webm.length / 4000) }, (_, piece) =>
    webm.subarray(piece * 4000, (piece + 1) * 4000),
  );
  await client.send(START, ...pieces, END);
  const { audio_duration } = await client.hears('session_ended');
  expect(audio_duration).toBeCloseTo(12, 0);
  expect(errorRate(countWordErrors(offline, client.text))).toBeLessThanOrEqual(0.15);
});

test('who may not speak is told why', async () => {
  const callers: Record<string, RealtimeCaller> = { key: { ...ANYONE, tenant: 't' } };
  const identify = (key: string | undefined) => callers[key ?? ''];
  const { url, app } = await serve({}, { identify });
  const closeOf = async (client: LiveClient, message?: object): Promise<number> => {
    if (message) await client.send(message);
    return (await client.closed)[0];
  };
  expect(await closeOf(new LiveClient(url, { authorization: 'Bearer wrong' }))).toBe(4401);
  expect(await closeOf(new LiveClient(url), START)).toBe(4401);
  expect(await closeOf(new LiveClient(`${url}?token=key`))).toBe(4401);
  expect(await closeOf(new LiveClient(url), { type: 'start', session_id: 1 })).toBe(4400);
  const keyed = { authorization: 'Bearer key' };
  expect(await closeOf(new LiveClient(url, keyed), { ...START, tenant_id: 'other' })).toBe(4403);
  const unknown = { type: 'resume_session', session_id: 's1', resume_token: 'no' };
  expect(await closeOf(new LiveClient(url, keyed), unknown)).toBe(4404);
  const answer = await app.inject({ method: 'POST', url: '/stt/realtime/token', headers: keyed });
  const { token } = answer.json() as { token: string };
  for (const credentials of [`${url}?token=${token}`, url]) {
    const client = new LiveClient(credentials);
    await client.send({ ...START, ...(credentials === url && { token: 'key' }) }, END);
    await client.hears('session_ended');
  }
  expect(await closeOf(new LiveClient(`${url}?token=${token}`))).toBe(4401);
});

test('a page of another site may not use a service without keys', async () => {
  const { url } = await serve();
  const client = new LiveClient(url, { origin: 'https://evil.example' });
  expect(await client.closed).toEqual([4403, 'ORIGIN_FORBIDDEN']);
});

test("the contract's own client is answered", async () => {
  const { url } = await serve();
  const heard: { type: string }[] = [];
  // Node 20 has no global WebSocket; in a browser this line is not there.
  const ws = new WebSocket(url);
  const ended = new Promise((resolve) => {
    ws.onmessage = ({ data }) => {
      heard.push(JSON.parse(String(data)));
    };
    ws.onclose = resolve;
  });
  ws.onopen = () => {
    const ids = { session_id: 'session_123', tenant_id: 'tenant_abc', meeting_id: 'meeting_123' };
    ws.send(JSON.stringify({ type: 'start_session', ...ids, language: 'en' }));
    for (const bytes of PIECES.slice(0, 10)) {
      ws.send(JSON.stringify({ type: 'audio_chunk', audio_data: bytes.toString('base64') }));
    }
    ws.send(JSON.stringify({ type: 'end_session' }));
  };
  await ended;
  expect(heard.map(({ type }) => type)).toContain('transcript_final');
});
