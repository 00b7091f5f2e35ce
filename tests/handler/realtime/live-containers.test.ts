import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Fastify, { type FastifyInstance } from 'fastify';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { findFfmpeg } from '../../../audio/ffmpeg-path.ts';
import { SAMPLE_RATE_HZ } from '../../../audio/time.ts';
import { createLogger } from '../../../core/logger.ts';
import { LiveSessions } from '../../../handler/realtime/live-sessions.ts';
import { pcm16Bytes } from '../../../handler/realtime/pcm16.ts';
import { registerRealtime } from '../../../handler/realtime/register-realtime.ts';
import { DEAF, KeptAudio, likeness } from '../../fakes/kept-audio.ts';
import { sampleWaveform } from '../../golden/shared-data.ts';
import { LiveClient } from './live-client.ts';

/** What recorders and clients stream, through a real socket: how it sounds once it is decoded. */

const LENGTH_SEC = 5;
const SAMPLE = sampleWaveform().slice(0, LENGTH_SEC * SAMPLE_RATE_HZ);
const END = { type: 'end_session' };
const ffmpeg = await findFfmpeg(undefined);
const folder = mkdtempSync(join(tmpdir(), 'stt-containers-'));
const logger = createLogger('silent', { write: () => {} });
const kept = new KeptAudio();
let app: FastifyInstance;
let url: string;

beforeAll(async () => {
  const sessions = new LiveSessions({ ...DEAF, logger, refinement: kept });
  app = Fastify();
  const identify = () => ({ tenant: null, keepsAudio: true });
  await registerRealtime(app, { sessions: () => sessions, identify, logger });
  app.addHook('onClose', () => sessions.close());
  await app.listen({ port: 0, host: '127.0.0.1' });
  url = `ws://127.0.0.1:${(app.server.address() as AddressInfo).port}/stt/realtime`;
});
afterAll(async () => {
  await app.close();
  await rm(folder, { recursive: true });
});

/** The sample between two seconds, as ffmpeg writes it with these options. */
function encoded(options: string, startSec = 0, endSec = LENGTH_SEC): Buffer {
  const [input, output] = [join(folder, 'in.pcm'), join(folder, 'out')];
  writeFileSync(input, pcm16Bytes(SAMPLE.slice(startSec * 16_000, endSec * 16_000)));
  const raw = ['-v', 'error', '-y', '-f', 's16le', '-ar', '16000', '-ac', '1', '-i', input];
  execFileSync(ffmpeg, [...raw, ...options.split(' '), '-strict', '-2', output]);
  return readFileSync(output);
}

const inPieces = (bytes: Buffer, size: number): Buffer[] =>
  Array.from({ length: Math.ceil(bytes.length / size) }, (_, piece) =>
    bytes.subarray(piece * size, (piece + 1) * size),
  );

/** Each stretch a file of its own. */
const filesOf = (options: string, pieceSec: number): Buffer[] =>
  Array.from({ length: LENGTH_SEC / pieceSec }, (_, piece) =>
    encoded(options, piece * pieceSec, (piece + 1) * pieceSec),
  );

async function stream(pieces: readonly Buffer[], start: object = {}): Promise<LiveClient> {
  const client = new LiveClient(url);
  await client.send({ type: 'start_session', language: 'en', ...start }, ...pieces, END);
  await client.hears('session_ended');
  return client;
}

async function expectHeard(client: LiveClient): Promise<void> {
  const ended = await client.hears('session_ended');
  expect(client.heard.filter(({ type }) => type === 'error')).toEqual([]);
  // Encoders add frames at the beginning and fill up the last one.
  expect(Math.abs(Number(ended['audio_duration']) - LENGTH_SEC)).toBeLessThan(0.2);
  expect(likeness(SAMPLE, kept.audioOf(String(ended['job_id'])))).toBeGreaterThan(0.95);
}

const FRAGMENTS = '-movflags frag_keyframe+empty_moov+default_base_moof -frag_duration 500000';

test.each([
  ['MP4 in fragments, as Safari records it', `-c:a aac ${FRAGMENTS} -f mp4`],
  ['MP4 in fragments with Opus, as Chrome records it', `-c:a libopus ${FRAGMENTS} -f mp4`],
  ['MP4 whose index comes first', '-c:a aac -movflags +faststart -f mp4'],
  ['MP3 with tags', '-c:a libmp3lame -f mp3'],
  ['MP3 of 8 kHz without tags', '-ar 8000 -c:a libmp3lame -write_xing 0 -id3v2_version 0 -f mp3'],
  ['MP3 of 44.1 kHz', '-ar 44100 -b:a 128k -c:a libmp3lame -write_xing 0 -id3v2_version 0 -f mp3'],
  ['FLAC', '-c:a flac -f flac'],
  ['ADTS', '-c:a aac -f adts'],
  ['WebM', '-c:a libopus -f webm'],
  ['Ogg', '-c:a libopus -f ogg'],
  ['WAV of 48 kHz stereo', '-ar 48000 -ac 2 -f wav'],
])('%s is heard piece by piece', async (_name, options) => {
  await expectHeard(await stream(inPieces(encoded(options), 4000)));
});

test('what a stream is counts, not what its client says: one recorder writes several', async () => {
  for (const [options, encoding] of [
    [`-c:a aac ${FRAGMENTS} -f mp4`, 'webm'],
    ['-f wav', 'pcm16'],
  ] as const) {
    await expectHeard(await stream(inPieces(encoded(options), 4000), { encoding }));
  }
});

test.each([
  ['WAV', '-f wav', 0.5],
  ['WAV of 48 kHz stereo in 24 bits', '-ar 48000 -ac 2 -c:a pcm_s24le -f wav', 0.5],
  ['WAV in float', '-ar 44100 -c:a pcm_f32le -f wav', 0.5],
  ['WebM', '-c:a libopus -f webm', 2.5],
  ['Ogg', '-c:a libopus -f ogg', 2.5],
  ['MP4', `-c:a libopus ${FRAGMENTS} -f mp4`, 2.5],
  ['FLAC', '-c:a flac -f flac', 2.5],
])('pieces that are each a whole file are heard as one: %s', async (_name, options, pieceSec) => {
  await expectHeard(await stream(filesOf(options, pieceSec)));
});

test('pieces of FileReader are heard, and what else their messages say is ignored', async () => {
  const pieces = inPieces(encoded('-c:a libopus -f webm'), 4000).map((bytes, index) => ({
    type: 'audio_chunk',
    audio_data: `data:audio/webm;codecs=opus;base64,${bytes.toString('base64')}`,
    ...{ seq: index + 1, timestamp: Date.now(), mimeType: 'audio/webm' },
  }));
  const client = new LiveClient(url);
  const start = { type: 'start_session', language: 'en', meeting_id: 199_505_756 };
  const empty = { type: 'audio_chunk', audio_data: 'data:', seq: pieces.length + 1 };
  await client.send(start, ...pieces, empty, { ...END, reason: 'stopped', meeting_id: 1 });
  await expectHeard(client);
  expect(await client.hears('session_started')).toMatchObject({ meeting_id: '199505756' });
  expect(await client.closed).toEqual([1000, 'ended']);
});

/** A header with this size of its sound, and what follows it. */
function wavWithSize(soundBytes: number): Buffer {
  const wav = Buffer.concat([encoded('-bitexact -f wav')]);
  wav.writeUInt32LE(soundBytes, 40);
  return wav;
}

test('a WAV header that is wrong about its size, or is split, loses no sound', async () => {
  for (const size of [0, 0xffff_ffff, 8000]) {
    await expectHeard(await stream(inPieces(wavWithSize(size), 8000)));
  }
  const wav = wavWithSize(0);
  const split = [wav.subarray(0, 3), wav.subarray(3, 30), ...inPieces(wav.subarray(30), 8001)];
  await expectHeard(await stream(split));
});

test('what stands behind the sound of a WAV is not heard', async () => {
  const list = Buffer.concat([Buffer.from('LIST\x40\x9c\0\0', 'latin1'), Buffer.alloc(40_000, 99)]);
  const pieces = filesOf('-bitexact -f wav', 1).map((wav) => Buffer.concat([wav, list]));
  await expectHeard(await stream(pieces));
  await expectHeard(await stream(inPieces(Buffer.concat([wavWithSize(160_000), list]), 8000)));
});

test('samples are samples, however small the first pieces are', async () => {
  const bytes = pcm16Bytes(SAMPLE);
  const pieces = [bytes.subarray(0, 1), bytes.subarray(1, 4), bytes.subarray(4)];
  await expectHeard(await stream(pieces));
  const short = await stream([bytes.subarray(0, 6)]);
  expect(await short.hears('session_ended')).toMatchObject({ reason: 'client' });
  expect(short.heard.filter(({ type }) => type === 'error')).toEqual([]);
});

async function expectRefused(pieces: readonly Buffer[], start: object = {}): Promise<void> {
  const client = await stream(pieces, start);
  const error = await client.hears('error');
  expect(error).toMatchObject({ code: 'AUDIO_UNSUPPORTED', retryable: false, fatal: true });
  expect(client.heard.filter(({ seq }) => Number(seq) > 0)).toEqual([]);
  expect(await client.closed).toEqual([4400, 'AUDIO_UNSUPPORTED']);
}

test.each([
  ['an MP4 whose index comes last', '-c:a aac -f mp4'],
  ['AIFF', '-f aiff'],
  ['CAF', '-c:a pcm_s16le -f caf'],
  ['W64', '-f w64'],
  ['AVI', '-c:a pcm_s16le -f avi'],
  ['WMA', '-c:a wmav2 -f asf'],
  ['MPEG-TS', '-c:a aac -f mpegts'],
  ['FLV', '-c:a aac -ar 44100 -f flv'],
  ['an MP4 with a codec that is not decoded', '-c:a ac3 -movflags +faststart -f mp4'],
  ['a WebM with a codec that is not decoded', '-c:a ac3 -f matroska'],
])('%s is refused, and none of it acknowledged', async (_name, options) => {
  const bytes = encoded(options);
  await expectRefused(inPieces(bytes, 4000));
});

test('one piece suffices for that', async () => {
  const client = new LiveClient(url);
  const [first] = inPieces(encoded('-c:a aac -f mp4'), 4000);
  await client.send({ type: 'start_session' }, first!);
  expect(await client.closed).toEqual([4400, 'AUDIO_UNSUPPORTED']);
});

test('a stream that has lost its beginning is refused', async () => {
  const webm = inPieces(encoded('-c:a libopus -f webm'), 4000).slice(1);
  await expectRefused(webm, { encoding: 'webm' });
  const fragments = encoded(`-c:a aac ${FRAGMENTS} -f mp4`);
  const from = fragments.indexOf('moof') - 4;
  await expectRefused(inPieces(fragments.subarray(from), 4000));
});
