import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import Fastify, { type FastifyInstance } from 'fastify';
import { afterEach, beforeEach, expect, test } from 'vitest';
import WebSocket from 'ws';
import { createLogger } from '../../../core/logger.ts';
import { MessageReader } from '../../../handler/realtime/client-messages.ts';
import { registerRealtime } from '../../../handler/realtime/register-realtime.ts';
import { LiveClient } from '../realtime/live-client.ts';
import { SessionBench } from '../realtime/session-bench.ts';
import { underAttack } from './under-attack.ts';

/** Sockets of clients that have not said who they are, or that send what they should not. */
const KEY = 'the key';
const LIMITS = { startSec: 5, idleSec: 20, messagesPerSec: 20, maxSpeed: 1, burstSec: 2 };
let bench: SessionBench;
let app: FastifyInstance;
let url: string;

beforeEach(async () => {
  bench = await SessionBench.open();
  const sessions = bench.sessions();
  app = Fastify();
  await registerRealtime(app, {
    sessions: () => sessions,
    identify: (key) => (key === KEY ? { tenant: 't', keepsAudio: false } : undefined),
    logger: createLogger('silent', { write: () => undefined }),
    limits: LIMITS,
  });
  app.get('/health', async () => ({ status: 'ready' }));
  await app.listen({ host: '127.0.0.1', port: 0 });
  url = `http://127.0.0.1:${(app.server.address() as AddressInfo).port}`;
});
afterEach(async () => {
  await app.close();
  await bench.close();
});

const stranger = () => new LiveClient(`${url.replace('http', 'ws')}/stt/realtime`);
const START = { type: 'start_session', session_id: 's', language: 'en', token: KEY };

const fieldsOf = (count: number): object =>
  Object.fromEntries(Array.from({ length: count }, (_, index) => [`field_${index}`, 1]));

test('a stranger who sends unknown fields is cut off, and nobody waits', async () => {
  const client = stranger();
  await once(client.socket, 'open');
  const message = JSON.stringify({ type: 'start_session', ...fieldsOf(2000) });
  const [code] = await underAttack('unknown socket', url, async () => {
    client.socket.send(message);
    return await client.closed;
  });
  expect(code).toBe(4413);
  expect(client.heard).toMatchObject([{ type: 'error', code: 'REQUEST_TOO_LARGE', fatal: true }]);
});

test('two megabytes of unknown fields are not even parsed, known or not', () => {
  const message = JSON.stringify({ type: 'start_session', ...fieldsOf(120_000) });
  expect(message.length).toBeGreaterThan(1.9e6);
  for (const isKnown of [false, true]) {
    const reader = new MessageReader(isKnown);
    const before = process.cpuUsage();
    expect(() => reader.read(message)).toThrow(/^More than .{1,80}$/);
    const { user, system } = process.cpuUsage(before);
    expect((user + system) / 1000).toBeLessThan(100);
  }
});

test('a stranger may say 16 KB altogether before it says who it is', async () => {
  const client = stranger();
  const ping = { type: 'ping' };
  await client.send(...Array.from({ length: 5 }, () => ping));
  await client.hears('pong');
  const padded = `{"type":"ping"${' '.repeat(5000)}}`;
  for (let round = 0; round < 4; round += 1) client.socket.send(padded);
  expect((await client.closed)[0]).toBe(4413);
});

test('whoever has said who it is may send audio by the megabyte, and little else', () => {
  const reader = new MessageReader(false);
  reader.read(JSON.stringify(START));
  const audio = { type: 'audio_chunk', audio_data: Buffer.alloc(900_000).toString('base64') };
  expect(reader.read(JSON.stringify(audio))).toMatchObject({ type: 'audio_chunk' });
  const refused = [
    { ...audio, ...fieldsOf(3000) },
    { ...audio, seq: 'x'.repeat(17_000) },
    { type: 'x'.repeat(1_000_000) },
  ];
  for (const message of refused) {
    expect(() => reader.read(JSON.stringify(message))).toThrow(/^More than .{1,80}$/);
  }
});

test('a flood of pings does not keep the socket of a stranger', async () => {
  const client = stranger();
  await once(client.socket, 'open');
  const flood = setInterval(() => {
    for (let message = 0; message < 20; message += 1) client.socket.send('{"type":"ping"}');
    client.socket.ping();
  }, 20);
  const [code] = await client.closed; // It was kept for as long as the flood went on.
  clearInterval(flood);
  expect([4408, 4413]).toContain(code);
});

test('a socket whose audio is held back still answers pings', async () => {
  const client = stranger();
  await client.send({ ...START, encoding: 'pcm16', sample_rate: 16_000 });
  await client.hears('session_started');
  const tenSeconds = Buffer.alloc(320_000);
  await client.send(tenSeconds, tenSeconds); // Five times what may come at once: held for a while.
  await client.hears('audio_ack');
  const ponged = once(client.socket, 'pong');
  client.socket.ping('are you there');
  const [payload] = await ponged;
  expect(String(payload)).toBe('are you there');
  expect(client.socket.readyState).toBe(WebSocket.OPEN);
  client.cut();
});
