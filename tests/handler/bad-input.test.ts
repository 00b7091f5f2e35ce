import { truncate } from 'node:fs/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openAudio } from '../../audio/open-audio.ts';
import { checkUrl } from '../../audio/url-guard.ts';
import { ERROR_CODES, type ErrorCode, type WireError } from '../../core/errors.ts';
import { createLogger } from '../../core/logger.ts';
import { runJob } from '../../handler/run-job.ts';
import { type LoadedModels, loadModels, WHISPER_TINY_EN } from '../../models/load-models.ts';
import { processRecording } from '../../pipeline/process-recording.ts';
import {
  createWorkbench,
  runFfmpegForFixture,
  testWithFfmpeg,
  type Workbench,
} from '../fakes/audio-workbench.ts';
import { type LoopbackServer, startLoopbackServer } from '../fakes/loopback-server.ts';
import { encodeTones } from '../fakes/tones.ts';
import { noise, wavBytes } from '../fakes/wav-bytes.ts';

/** What a user with a bad job gets: the whole path of a job, on the real models. */
const MEBIBYTE = 1024 * 1024;
const HOUR_SEC = 3600;

let bench: Workbench;
let models: LoadedModels;
let server: LoopbackServer;

beforeAll(async () => {
  bench = await createWorkbench();
  const settings = { device: 'cpu', threads: 0, computeType: 'auto', batchSize: 2 } as const;
  models = await loadModels({ ...settings, whisper: WHISPER_TINY_EN }, () => {});
  server = await startLoopbackServer((request, response) => {
    if (request.url === '/to-loopback') response.writeHead(302, { location: 'http://127.0.0.1/' });
    else response.writeHead(200, { 'content-type': 'audio/wav' });
    if (request.url === '/endless') endless(response);
    else response.end();
  });
});

afterAll(async () => {
  await server.close();
  await models.close();
  await bench.remove();
});

function endless(response: { write(chunk: Buffer): boolean; destroyed: boolean }): void {
  const timer = setInterval(() => {
    if (response.destroyed) clearInterval(timer);
    else response.write(Buffer.alloc(1000));
  }, 10);
}

/** Runs a job under the limits of the contract: 100 MB, one hour. */
async function run(input: unknown): Promise<{ error?: WireError; transcript?: string }> {
  const limits = {
    ...bench.limits,
    allowPrivateUrls: false,
    maxBytes: 100 * MEBIBYTE,
    maxSec: HOUR_SEC,
    fetchTimeoutMs: 1500,
    fetchTuning: {
      ...bench.limits.fetchTuning,
      // The stand-in's own port is let through, whatever it redirects to is checked as always.
      checkUrl: async (url: string | URL) =>
        checkUrl(url, {
          allowHttp: true,
          allowPrivateUrls: new URL(url).port === String(server.port),
        }),
    },
  };
  return (await runJob(
    { id: 'bad', input },
    {
      openAudio: (source, signal) => openAudio(source, limits, signal),
      transcribe: (waveform, options, hooks, signal) =>
        processRecording(waveform, options, models, hooks, signal),
    },
    {
      signal: new AbortController().signal,
      logger: createLogger('silent', { write: () => undefined }),
      onProgress: () => undefined,
    },
  )) as { error?: WireError; transcript?: string };
}

async function expectError(input: unknown, code: ErrorCode, httpStatus: number): Promise<string> {
  const { error } = await run(input);
  expect(error?.code).toBe(code);
  expect(ERROR_CODES[code].httpStatus).toBe(httpStatus);
  expect(error?.retryable).toBe(ERROR_CODES[code].retryable);
  await expectNothingLeft();
  return error?.message ?? '';
}

async function expectNothingLeft(): Promise<void> {
  await bench.expectNothingLeft();
  expect(models.recognizer.queueLength).toBe(0);
}

const file = async (name: string, content: string | Uint8Array): Promise<object> => ({
  audio_url: await bench.write(name, content),
});

test('an unknown field is named', async () => {
  const message = await expectError({ audio_url: 'a.wav', langauge: 'en' }, 'INPUT_INVALID', 400);
  expect(message).toContain('langauge');
});

test('a wrong type is named with what was expected', async () => {
  const message = await expectError({ audio_url: 7 }, 'INPUT_INVALID', 400);
  expect(message).toMatch(/audio_url.*string|string.*audio_url/is);
});

test('two audio sources and none are both refused', async () => {
  await expectError({ audio_url: 'a.wav', audio_base64: 'AAAA' }, 'INPUT_INVALID', 400);
  await expectError({ meeting_id: 'm' }, 'INPUT_INVALID', 400);
  await expectError(null, 'INPUT_INVALID', 400);
});

test('an empty file', async () => {
  await expectError(await file('empty.wav', ''), 'AUDIO_EMPTY', 422);
});

test('text renamed .wav', async () => {
  await expectError(await file('text.wav', 'only words'), 'AUDIO_UNSUPPORTED', 415);
});

test('a playlist renamed .wav asks nobody', async () => {
  const playlist = `#EXTM3U\n#EXTINF:1,\n${server.url}\n#EXT-X-ENDLIST\n`;
  await expectError(await file('list.wav', playlist), 'AUDIO_UNSUPPORTED', 415);
  expect(server.requests).toEqual([]);
});

test('a WAV of 0 channels', async () => {
  const wav = wavBytes(noise(1600), { claimedChannels: 0 });
  await expectError(await file('zero.wav', wav), 'AUDIO_UNDECODABLE', 422);
});

test('a header that lies about its length: what is there is transcribed', async () => {
  const wav = wavBytes(new Int16Array(32_000), { claimedDataBytes: 2 ** 31 });
  expect(await run(await file('liar.wav', wav))).toMatchObject({ transcript: '' });
  await expectNothingLeft();
});

testWithFfmpeg('a truncated MP3: what is there is transcribed', async () => {
  const path = `${bench.root}/cut.mp3`;
  await encodeTones({ rateHz: 44_100, layout: 'mono', durationSec: 4 }, { [path]: [] });
  await truncate(path, 12_000);
  const { error, transcript } = await run({ audio_url: path });
  expect(error).toBeUndefined();
  expect(typeof transcript).toBe('string');
  await expectNothingLeft();
});

test('silence only is an empty transcript', async () => {
  const wav = wavBytes(new Int16Array(5 * 16_000));
  expect(await run(await file('silence.wav', wav))).toMatchObject({
    transcript: '',
    segments: [],
    warnings: [],
  });
  await expectNothingLeft();
});

test('101 MB are too large, wherever they come from', async () => {
  const path = await bench.write('large.wav', wavBytes(noise(1600)));
  await truncate(path, 101 * MEBIBYTE);
  await expectError({ audio_url: path }, 'AUDIO_TOO_LARGE', 413);
  const encoded = 'A'.repeat(Math.ceil((101 * MEBIBYTE) / 3) * 4);
  await expectError({ audio_base64: encoded }, 'AUDIO_TOO_LARGE', 413);
});

testWithFfmpeg('61 minutes are too long', async () => {
  const dataBytes = 61 * 60 * 16_000; // 8 kHz, 16 bit
  const wav = wavBytes(noise(1600), { rateHz: 8000, claimedDataBytes: dataBytes });
  const path = await bench.write('long.wav', wav);
  await truncate(path, 44 + dataBytes);
  await expectError({ audio_url: path }, 'AUDIO_TOO_LONG', 413);
});

test('an unreachable host can be tried again, a private one is forbidden', async () => {
  await expectError({ audio_url: 'https://nowhere.invalid/a.wav' }, 'AUDIO_FETCH_FAILED', 424);
  for (const host of ['127.0.0.1', '2130706433', '[::ffff:10.0.0.1]', '169.254.169.254']) {
    await expectError({ audio_url: `https://${host}/a.wav` }, 'URL_FORBIDDEN', 400);
  }
});

test('a redirect to 127.0.0.1 is not followed', async () => {
  const audioUrl = `http://127.0.0.1:${server.port}/to-loopback`;
  await expectError({ audio_url: audioUrl }, 'URL_FORBIDDEN', 400);
});

test('a server that never ends runs into the time limit', async () => {
  const audioUrl = `http://127.0.0.1:${server.port}/endless`;
  await expectError({ audio_url: audioUrl }, 'AUDIO_FETCH_TIMEOUT', 424);
});

testWithFfmpeg('a video without sound', async () => {
  const path = `${bench.root}/silent.mp4`;
  const picture = ['-f', 'lavfi', '-i', 'testsrc=size=64x64:rate=10:duration=1'];
  await runFfmpegForFixture([...picture, '-c:v', 'mpeg4', path]);
  await expectError({ audio_url: path }, 'AUDIO_WITHOUT_SOUND', 422);
});
