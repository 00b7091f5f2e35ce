import type { RequestListener } from 'node:http';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { AudioLimits } from '../../../audio/limits.ts';
import { checkUrl } from '../../../audio/url-guard.ts';
import { createWorkbench, expectCode, type Workbench } from '../../fakes/audio-workbench.ts';
import { type LoopbackServer, startLoopbackServer } from '../../fakes/loopback-server.ts';
import { noise, wavBytes } from '../../fakes/wav-bytes.ts';

const AUDIO = wavBytes(noise(16_000));
const LOOPBACK = { address: '127.0.0.1', family: 4 };

let bench: Workbench;
let server: LoopbackServer | undefined;
beforeEach(async () => {
  bench = await createWorkbench();
});
afterEach(async () => {
  await server?.close();
  server = undefined;
  await bench.expectNothingLeft().finally(bench.remove);
});

async function serve(listener: RequestListener): Promise<LoopbackServer> {
  server = await startLoopbackServer(listener);
  return server;
}

/** Answers in turn; the last answer is repeated. */
function inTurn(...listeners: RequestListener[]): RequestListener {
  let turn = 0;
  return (request, response) => {
    listeners[Math.min(turn, listeners.length - 1)]?.(request, response);
    turn += 1;
  };
}

const sendAudio: RequestListener = (_request, response) => response.end(AUDIO);
const sendStatus =
  (status: number, headers: Record<string, string> = {}): RequestListener =>
  (_request, response) =>
    response.writeHead(status, headers).end();
const redirectTo = (location: string): RequestListener => sendStatus(302, { location });
const cutAfterHalf: RequestListener = (_request, response) => {
  response.writeHead(200, { 'content-length': AUDIO.length });
  response.write(AUDIO.subarray(0, AUDIO.length / 2), () => response.destroy());
};

const fetchFrom = (url: string, overrides: Partial<AudioLimits> = {}, signal?: AbortSignal) =>
  bench.open({ kind: 'url', url }, overrides, signal);

async function expectAudio(url: string, overrides: Partial<AudioLimits> = {}): Promise<void> {
  const waveform = await fetchFrom(url, overrides);
  expect(waveform.sampleCount).toBe(16_000);
  await waveform.close();
}

const tuned = (tuning: AudioLimits['fetchTuning']): Partial<AudioLimits> => ({
  fetchTuning: { ...bench.limits.fetchTuning, ...tuning },
});

test('a URL is downloaded, uncompressed, and decoded', async () => {
  let encodings: string | string[] | undefined;
  const { url } = await serve((request, response) => {
    encodings = request.headers['accept-encoding'];
    response.end(AUDIO);
  });
  await expectAudio(url);
  expect(encodings).toBe('identity');
});

test('an announced length above the limit is refused before the body is read', async () => {
  const { url } = await serve((_request, response) => {
    response.writeHead(200, { 'content-length': 1_000_000_000 });
    response.flushHeaders();
  });
  await expectCode(fetchFrom(url), 'AUDIO_TOO_LARGE');
});

test('a body that grows above the limit is cut off', async () => {
  const { url, requests } = await serve((_request, response) => {
    const more = (): unknown => response.write(Buffer.alloc(65_536));
    response.on('drain', more);
    while (more());
  });
  await expectCode(fetchFrom(url, { maxBytes: 1_000_000 }), 'AUDIO_TOO_LARGE');
  expect(requests).toHaveLength(1);
});

test('an unreachable port is tried again and then AUDIO_FETCH_FAILED', async () => {
  const { url, close } = await startLoopbackServer(sendAudio);
  await close();
  await expectCode(fetchFrom(url), 'AUDIO_FETCH_FAILED');
});

test('a host name without an address is AUDIO_FETCH_FAILED', async () => {
  const resolve = () => Promise.reject(new Error('getaddrinfo ENOTFOUND'));
  const limits = tuned({ checkUrl: (url) => checkUrl(url, bench.limits, resolve) });
  await expectCode(fetchFrom('http://nowhere.invalid/', limits), 'AUDIO_FETCH_FAILED');
});

test('a resolver that never answers is AUDIO_FETCH_TIMEOUT', async () => {
  const resolve = () => new Promise<never>(() => undefined);
  const limits = tuned({
    attempts: 1,
    stallTimeoutMs: 50,
    checkUrl: (url) => checkUrl(url, bench.limits, resolve),
  });
  await expectCode(fetchFrom('http://slow.invalid/', limits), 'AUDIO_FETCH_TIMEOUT');
});

test('a private address is refused without a request', async () => {
  const { port, requests } = await serve(sendAudio);
  const strict = { allowPrivateUrls: false };
  for (const host of ['127.0.0.1', 'localhost', '2130706433', '0x7f.1', '[::ffff:127.0.0.1]']) {
    await expectCode(fetchFrom(`http://${host}:${port}/`, strict), 'URL_FORBIDDEN');
    await expectCode(fetchFrom(`http://${host}/`, strict), 'URL_FORBIDDEN');
  }
  expect(requests).toEqual([]);
});

test('a redirect is followed, relative or absolute', async () => {
  const { url } = await serve((request, response) => {
    if (request.url === '/audio') redirectTo('/moved?to=there')(request, response);
    else if (request.url === '/moved?to=there') redirectTo(`${url}/end`)(request, response);
    else sendAudio(request, response);
  });
  await expectAudio(url);
});

test('a redirect from an allowed host to 127.0.0.1 is refused before it is asked', async () => {
  const inside = await startLoopbackServer(sendAudio);
  const { port } = await serve(redirectTo(inside.url));
  const strict = { allowHttp: true, allowPrivateUrls: false };
  const limits = tuned({
    checkUrl: async (url) =>
      new URL(url).hostname === 'first.example'
        ? { url: new URL(url), addresses: [LOOPBACK] }
        : checkUrl(url, strict),
  });
  await expectCode(fetchFrom(`http://first.example:${port}/`, limits), 'URL_FORBIDDEN');
  expect(server?.requests).toHaveLength(1);
  expect(inside.requests).toEqual([]);
  await inside.close();
});

test('a sixth redirect is refused', async () => {
  const { url, requests } = await serve(redirectTo('/audio'));
  await expectCode(fetchFrom(url), 'AUDIO_FETCH_REFUSED');
  expect(requests).toHaveLength(6);
});

test('a redirect to something that is not a URL is URL_FORBIDDEN', async () => {
  const { url } = await serve(redirectTo('http://['));
  await expectCode(fetchFrom(url), 'URL_FORBIDDEN');
});

test('the host is resolved once and the connection goes to the checked address', async () => {
  const { port } = await serve(sendAudio);
  let resolved = 0;
  const resolve = async () => {
    resolved += 1;
    return [resolved === 1 ? LOOPBACK : { address: '192.0.2.1', family: 4 }];
  };
  const limits = tuned({ checkUrl: (url) => checkUrl(url, bench.limits, resolve) });
  await expectAudio(`http://rebind.example:${port}/`, limits);
  expect(resolved).toBe(1);
});

test('a DNS answer that turns private before a second try is refused', async () => {
  const inside = await serve(sendAudio);
  let resolved = 0;
  const limits = tuned({
    checkUrl: async (url) => {
      resolved += 1;
      // First a port where nobody listens, in the name of a public host; then the truth.
      if (resolved === 1) return { url: new URL('http://127.0.0.1:1/'), addresses: [LOOPBACK] };
      return checkUrl(url, { allowHttp: true, allowPrivateUrls: false }, async () => [LOOPBACK]);
    },
  });
  await expectCode(fetchFrom('http://rebind.example/', limits), 'URL_FORBIDDEN');
  expect(resolved).toBe(2);
  expect(inside.requests).toEqual([]);
});

test('a server that never ends is AUDIO_FETCH_TIMEOUT after the total time', async () => {
  const { url, requests } = await serve((_request, response) => {
    const drip = setInterval(() => response.write('RIFF'), 20);
    response.on('close', () => clearInterval(drip));
  });
  await expectCode(fetchFrom(url, { fetchTimeoutMs: 300 }), 'AUDIO_FETCH_TIMEOUT');
  expect(requests).toHaveLength(1);
});

test('a server that never answers is tried again and then AUDIO_FETCH_TIMEOUT', async () => {
  const { url, requests } = await serve(() => undefined);
  await expectCode(fetchFrom(url, tuned({ stallTimeoutMs: 100 })), 'AUDIO_FETCH_TIMEOUT');
  expect(requests).toHaveLength(3);
});

test('a transfer that stalls half-way is AUDIO_FETCH_TIMEOUT', async () => {
  const { url } = await serve((_request, response) => {
    response.writeHead(200, { 'content-length': AUDIO.length });
    response.write(AUDIO.subarray(0, 1000));
  });
  await expectCode(fetchFrom(url, tuned({ stallTimeoutMs: 100 })), 'AUDIO_FETCH_TIMEOUT');
});

test('a cut connection is tried again and then AUDIO_FETCH_FAILED', async () => {
  const { url, requests } = await serve(cutAfterHalf);
  await expectCode(fetchFrom(url), 'AUDIO_FETCH_FAILED');
  expect(requests).toHaveLength(3);
});

test('a cut connection leaves nothing of itself in the next try', async () => {
  const longer = Buffer.concat([AUDIO, Buffer.alloc(100_000)]);
  const { url } = await serve(
    inTurn((_request, response) => {
      response.writeHead(200, { 'content-length': longer.length + 1 });
      response.write(longer, () => response.destroy());
    }, sendAudio),
  );
  await expectAudio(url);
});

test('a chunked body without its end is tried again', async () => {
  const { url, requests } = await serve(
    inTurn((_request, response) => {
      response.write(AUDIO, () => response.destroy());
    }, sendAudio),
  );
  await expectAudio(url);
  expect(requests).toHaveLength(2);
});

test('500 and then 200 succeeds', async () => {
  const { url, requests } = await serve(inTurn(sendStatus(500), sendStatus(503), sendAudio));
  await expectAudio(url);
  expect(requests).toHaveLength(3);
});

test('429 waits as long as Retry-After says', async () => {
  const { url } = await serve(inTurn(sendStatus(429, { 'retry-after': '1' }), sendAudio));
  const startedAtMs = performance.now();
  await expectAudio(url);
  expect(performance.now() - startedAtMs).toBeGreaterThan(950);
});

test('a Retry-After beyond the total time fails at once', async () => {
  const date = new Date(Date.now() + 3_600_000).toUTCString();
  const { url, requests } = await serve(sendStatus(503, { 'retry-after': date }));
  await expectCode(fetchFrom(url), 'AUDIO_FETCH_FAILED');
  expect(requests).toHaveLength(1);
});

test('an empty body is AUDIO_EMPTY', async () => {
  const { url } = await serve(sendStatus(200));
  await expectCode(fetchFrom(url), 'AUDIO_EMPTY');
});

test('aborting in the middle of a download is JOB_CANCELLED at once', async () => {
  const controller = new AbortController();
  const { url } = await serve((_request, response) => {
    response.writeHead(200, { 'content-length': AUDIO.length });
    response.write(AUDIO.subarray(0, 1000), () => controller.abort());
  });
  const startedAtMs = performance.now();
  await expectCode(fetchFrom(url, {}, controller.signal), 'JOB_CANCELLED');
  expect(performance.now() - startedAtMs).toBeLessThan(900);
});

test('aborting between two tries is JOB_CANCELLED at once', async () => {
  const controller = new AbortController();
  const { url } = await serve((_request, response) => {
    response.writeHead(500).end(() => setTimeout(() => controller.abort(), 50));
  });
  const patient = tuned({ backoffMs: 3000 });
  await expectCode(fetchFrom(url, patient, controller.signal), 'JOB_CANCELLED');
});

test('an error of the download never quotes the URL', async () => {
  const { url } = await serve(sendStatus(403));
  const error = await expectCode(fetchFrom(`${url}?token=s3cret`), 'AUDIO_FETCH_REFUSED');
  expect(error.message).not.toMatch(/s3cret|127/);
});
