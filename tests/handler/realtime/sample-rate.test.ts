import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import Fastify from 'fastify';
import { expect, test } from 'vitest';
import { createLogger } from '../../../core/logger.ts';
import { LiveSessions } from '../../../handler/realtime/live-sessions.ts';
import { pcm16Bytes } from '../../../handler/realtime/pcm16.ts';
import { registerRealtime } from '../../../handler/realtime/register-realtime.ts';
import { SampleRateCheck } from '../../../handler/realtime/sample-rate-check.ts';
import { DEAF } from '../../fakes/kept-audio.ts';
import { sampleWaveform } from '../../golden/shared-data.ts';
import { LiveClient } from './live-client.ts';

const SPEECH = sampleWaveform().slice(0, 20 * 16_000);

/** As a device of that rate would have recorded it. */
const recordedAt = (rateHz: number): Float32Array =>
  Float32Array.from({ length: Math.floor((SPEECH.length * rateHz) / 16_000) - 2 }, (_, sample) => {
    const at = (sample * 16_000) / rateHz;
    const part = at - Math.floor(at);
    return SPEECH[Math.floor(at)]! * (1 - part) + SPEECH[Math.floor(at) + 1]! * part;
  });

/** What is told of samples that come at so many a second, in pieces of a tenth of a second. */
function toldOf(waveform: Float32Array, perSec: number, firstAtOnceSec = 0): number[] {
  const check = new SampleRateCheck();
  const piece = Math.round(perSec / 10);
  return Array.from({ length: Math.floor(waveform.length / piece) }, (_, index) => {
    const jitterMs = ((index * 7919) % 31) - 15;
    const nowMs = Math.max(firstAtOnceSec * 1000, index * 100) + jitterMs;
    return check.hear(waveform.subarray(index * piece, (index + 1) * piece), nowMs) ?? [];
  }).flat();
}

test('48 and 44.1 kHz that are taken for 16 kHz are told, once', () => {
  expect(toldOf(recordedAt(48_000), 48_000)).toEqual([48_000]);
  expect(toldOf(recordedAt(44_100), 44_100)).toEqual([44_100]);
});

test('so they are where the first of them have waited for the session', () => {
  expect(toldOf(recordedAt(48_000), 48_000, 0.9)).toEqual([48_000]);
});

test('a level that is off the middle does not hide them', () => {
  expect(
    toldOf(
      recordedAt(48_000).map((value) => value + 0.2),
      48_000,
    ),
  ).toEqual([48_000]);
});

test('speech of 16 kHz is told at no speed: a file may be sent faster than it is spoken', () => {
  for (const speed of [0.5, 1, 1.5, 2, 2.75625, 3, 10]) {
    expect([speed, toldOf(SPEECH, speed * 16_000)]).toEqual([speed, []]);
  }
});

test('low tones and silence are told at no speed but that of a device', () => {
  for (const speed of [1, 2, 2.4, 3.5])
    expect(toldOf(recordedAt(48_000), speed * 16_000)).toEqual([]);
  expect(toldOf(new Float32Array(20 * 48_000), 48_000)).toEqual([]);
});

test('a client that does not say its rate hears of it, and the session goes on', async () => {
  const logger = createLogger('silent', { write: () => {} });
  const sessions = new LiveSessions({ ...DEAF, logger });
  const app = Fastify();
  const identify = () => ({ tenant: null, keepsAudio: false });
  await registerRealtime(app, { sessions: () => sessions, identify, logger });
  app.addHook('onClose', () => sessions.close());
  await app.listen({ port: 0, host: '127.0.0.1' });
  const { port } = app.server.address() as AddressInfo;
  const client = new LiveClient(`ws://127.0.0.1:${port}/stt/realtime`);
  await client.send({ type: 'start_session' });
  await client.hears('session_started');
  const bytes = pcm16Bytes(recordedAt(48_000));
  const isTold = () => client.heard.some(({ code }) => code === 'SAMPLE_RATE_IMPLAUSIBLE');
  const startedAtMs = performance.now();
  // A machine under load may spoil a window of time; then the next one tells.
  for (let at = 0; at < bytes.length && !isTold(); at += 9600) {
    await client.send(bytes.subarray(at, at + 9600));
    await sleep(startedAtMs + (at / 9600 + 1) * 100 - performance.now());
  }
  expect(client.heard.filter(({ type }) => type === 'warning')).toEqual([
    { type: 'warning', code: 'SAMPLE_RATE_IMPLAUSIBLE', likely_sample_rate: 48_000 },
  ]);
  await client.send({ type: 'end_session' });
  expect(await client.hears('session_ended')).toMatchObject({ reason: 'client' });
  await app.close();
});
