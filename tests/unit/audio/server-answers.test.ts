import type { RequestListener } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { AudioLimits } from '../../../audio/limits.ts';
import { createWorkbench, expectCode, type Workbench } from '../../fakes/audio-workbench.ts';
import { type LoopbackServer, startLoopbackServer } from '../../fakes/loopback-server.ts';
import { noise, wavBytes } from '../../fakes/wav-bytes.ts';

/** What servers answer instead of plain sound: a status, a compressed body, a page. */

const AUDIO = wavBytes(noise(16_000));

let bench: Workbench;
const servers: LoopbackServer[] = [];
beforeEach(async () => {
  bench = await createWorkbench();
});
afterEach(async () => {
  for (const server of servers.splice(0)) await server.close();
  await bench.expectNothingLeft().finally(bench.remove);
});

async function serve(listener: RequestListener): Promise<LoopbackServer> {
  const server = await startLoopbackServer(listener);
  servers.push(server);
  return server;
}

const fetchFrom = (url: string, overrides: Partial<AudioLimits> = {}) =>
  bench.open({ kind: 'url', url }, overrides);

async function expectAudio(url: string): Promise<void> {
  const waveform = await fetchFrom(url);
  expect(waveform.sampleCount).toBe(16_000);
  await waveform.close();
}

const sendStatus =
  (status: number): RequestListener =>
  (_request, response) =>
    response.writeHead(status).end();

test.each([
  [404, 'AUDIO_NOT_FOUND', /no such file/],
  [410, 'AUDIO_NOT_FOUND', /no such file/],
  [401, 'AUDIO_FETCH_REFUSED', /permission/],
  [403, 'AUDIO_FETCH_REFUSED', /signature has expired/],
  [416, 'AUDIO_FETCH_REFUSED', /416/],
  [400, 'AUDIO_FETCH_REFUSED', /400/],
  [451, 'AUDIO_FETCH_REFUSED', /451/],
  [304, 'AUDIO_FETCH_REFUSED', /304/],
] as const)('%i is %s: it is not asked again, nor worth a retry', async (status, code, says) => {
  const { url, requests } = await serve(sendStatus(status));
  const error = await expectCode(fetchFrom(url), code);
  expect([error.retryable, requests.length]).toEqual([false, 1]);
  expect(error.message).toMatch(says);
});

test.each([408, 425, 429, 500, 502, 503, 504])(
  '%i is tried again and retryable',
  async (status) => {
    const { url, requests } = await serve(sendStatus(status));
    const error = await expectCode(fetchFrom(url), 'AUDIO_FETCH_FAILED');
    expect([error.retryable, requests.length]).toEqual([true, 3]);
  },
);

const sendEncoded =
  (encoding: string, body: Uint8Array): RequestListener =>
  (_request, response) => {
    response.writeHead(200, { 'content-encoding': encoding, 'content-length': body.length });
    response.end(body);
  };

test.each([
  ['gzip', gzipSync(AUDIO)],
  ['x-gzip', gzipSync(AUDIO)],
  ['GZIP', Buffer.concat([gzipSync(AUDIO.subarray(0, 999)), gzipSync(AUDIO.subarray(999))])],
  ['br', brotliCompressSync(AUDIO)],
  ['deflate', deflateSync(AUDIO)],
  ['deflate', deflateRawSync(AUDIO)],
  ['identity', AUDIO],
  ['aws-chunked', AUDIO],
  ['aws-chunked, gzip', gzipSync(AUDIO)],
] as const)('a body that is stored as %s is undone', async (encoding, body) => {
  const { url } = await serve(sendEncoded(encoding, body));
  await expectAudio(url);
});

test('a small body that grows above the limit is cut off, and never held as a whole', async () => {
  const zeros = Buffer.alloc(64 * 1024 * 1024);
  for (const [encoding, bomb] of [
    ['gzip', gzipSync(zeros)],
    ['br', brotliCompressSync(zeros)],
    ['deflate', deflateSync(zeros)],
  ] as const) {
    const { url } = await serve(sendEncoded(encoding, bomb));
    const before = process.memoryUsage().arrayBuffers;
    const maxBytes = 1_000_000;
    await expectCode(fetchFrom(url, { maxBytes }), 'AUDIO_TOO_LARGE');
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(16 * 1024 * 1024);
  }
});

test('a compressed body without end that holds nothing is cut off too', async () => {
  const nothing = Buffer.concat(Array.from({ length: 1000 }, () => gzipSync('')));
  const { url, requests } = await serve(async (_request, response) => {
    response.writeHead(200, { 'content-encoding': 'gzip' });
    while (!response.destroyed) {
      response.write(nothing);
      await sleep(1);
    }
  });
  await expectCode(fetchFrom(url, { maxBytes: 500_000 }), 'AUDIO_TOO_LARGE');
  expect(requests).toHaveLength(1);
});

test('a compressed body that breaks off is tried again, one that is damaged is not', async () => {
  const whole = gzipSync(AUDIO);
  const cut = sendEncoded('gzip', whole.subarray(0, whole.length / 2));
  const first = await serve((request, response) => {
    if (first.requests.length === 1) cut(request, response);
    else response.end(AUDIO);
  });
  await expectAudio(first.url);
  const { url, requests } = await serve(sendEncoded('gzip', AUDIO));
  await expectCode(fetchFrom(url), 'AUDIO_UNDECODABLE');
  expect(requests).toHaveLength(1);
});

test('an encoding that is unknown, or one of several, is AUDIO_UNSUPPORTED', async () => {
  for (const encoding of ['zstd', 'compress', 'gzip, gzip']) {
    const { url } = await serve(sendEncoded(encoding, gzipSync(AUDIO)));
    await expectCode(fetchFrom(url), 'AUDIO_UNSUPPORTED');
  }
});

test.each([
  ['<!DOCTYPE html><title>Sign in</title>', /an HTML page/],
  ['\ufeff\r\n <!-- hello -->\n<HTML lang="ko">', /an HTML page/],
  ['<?xml version="1.0"?><!doctype html><html>', /an HTML page/],
  ['<script>location = "/login"</script>', /an HTML page/],
  ['<?xml version="1.0"?><Error><Code>AccessDenied</Code></Error>', /an XML document/],
  ['{"error": "not yours"}', /a JSON document/],
  ['not found', /none of them/],
])('%j instead of sound is told by its kind', async (page, says) => {
  const { url } = await serve((_request, response) => {
    response.writeHead(200, { 'content-type': 'audio/mpeg' }).end(page);
  });
  expect((await expectCode(fetchFrom(url), 'AUDIO_UNSUPPORTED')).message).toMatch(says);
});

test('a compressed page and one in UTF-16 are pages too', async () => {
  const page = '<!doctype html><html></html>';
  const wide = Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(page, 'utf16le')]);
  for (const body of [gzipSync(page), gzipSync(wide)]) {
    const { url } = await serve(sendEncoded('gzip', body));
    const error = await expectCode(fetchFrom(url), 'AUDIO_UNSUPPORTED');
    expect(error.message).toMatch(/an HTML page/);
  }
});
