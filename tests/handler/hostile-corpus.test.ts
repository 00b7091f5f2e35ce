import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, isIP } from 'node:net';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { openAudio } from '../../audio/open-audio.ts';
import { checkUrl, type HostAddress } from '../../audio/url-guard.ts';
import { ERROR_CODES, type ErrorCode } from '../../core/errors.ts';
import { createLogger } from '../../core/logger.ts';
import { runJob } from '../../handler/run-job.ts';
import { createWorkbench, testWithFfmpeg, type Workbench } from '../fakes/audio-workbench.ts';
import { HOSTILE_BINARIES } from '../fakes/hostile-binaries.ts';
import {
  FORBIDDEN_PLACES,
  HOSTILE_SCRIPTS,
  KNOWN_TO_FFMPEG,
  LOOPBACK_HOSTS,
  SIGNATURES,
  scriptBytes,
  scriptTargets,
} from '../fakes/hostile-inputs.ts';
import { encodeSilence } from '../fakes/tones.ts';
import { noise, wavBytes } from '../fakes/wav-bytes.ts';

/** Whatever is sent: no connection to where it points, no crash, an answer that blames the sender. */
/** Where hostile things point to: nothing may ever connect. */
let victim: Server;
let victimPort: number;
let connections = 0;
/** A host that the guard lets through in these tests, as it would a public one. */
let attacker: Server;
let answerOfAttacker: (
  path: string,
) => readonly [number, Record<string, string>, (string | Buffer)?];
let bench: Workbench;

const listen = (server: Server, port: number, host: string): Promise<void> =>
  new Promise((resolve) => server.listen(port, host, resolve));

beforeAll(async () => {
  bench = await createWorkbench();
  victim = createServer((_request, response) => response.end(wavBytes(noise(16_000))));
  victim.on('connection', () => (connections += 1));
  await listen(victim, 0, '127.0.0.1');
  victimPort = (victim.address() as AddressInfo).port;
  attacker = createServer((request, response) => {
    const [status, headers, body] = answerOfAttacker(request.url ?? '');
    response.writeHead(status, headers).end(body);
  });
  await listen(attacker, victimPort, ATTACKER.address);
});

afterEach(async () => {
  expect(connections).toBe(0);
  await bench.expectNothingLeft();
});

afterAll(async () => {
  for (const server of [victim, attacker]) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
  await bench.remove();
});

const ATTACKER: HostAddress = { address: '127.0.0.2', family: 4 };
const VICTIM: HostAddress = { address: '127.0.0.1', family: 4 };
const STRICT = { allowHttp: true, allowPrivateUrls: false };
type Resolve = (hostname: string) => Promise<readonly HostAddress[]>;
const noHost: Resolve = () => Promise.reject(new Error('ENOTFOUND'));

/** The guard as it is, but that the attacker counts as public and the victim's port as 443. */
const guardWith = (resolve: Resolve) => async (rawUrl: string | URL) => {
  const text = String(rawUrl).replace(`:${victimPort}`, '');
  const asked = URL.canParse(text) ? new URL(text) : undefined;
  const addresses =
    asked && !isIP(asked.hostname.replace(/[[\]]/g, '')) ? await resolve(asked.hostname) : [];
  if (addresses.length > 0 && addresses.every(({ address }) => address === ATTACKER.address)) {
    return { url: new URL(rawUrl), addresses };
  }
  const checked = await checkUrl(text, STRICT, async () => addresses);
  return { ...checked, url: new URL(rawUrl) };
};

async function codeOf(input: object, resolve: Resolve = noHost): Promise<ErrorCode | 'accepted'> {
  const limits = {
    ...bench.limits,
    ...STRICT,
    fetchTuning: {
      stallTimeoutMs: 10_000,
      attempts: 3,
      backoffMs: 5,
      checkUrl: guardWith(resolve),
    },
  };
  const output = await runJob(
    { id: 'hostile', input },
    {
      recognizer: { modelName: 'none', languages: ['en', 'ko'] },
      openAudio: (source, signal) => openAudio(source, limits, signal),
      transcribe: () => Promise.reject(new Error('accepted')),
    },
    {
      signal: new AbortController().signal,
      logger: createLogger('silent', { write: () => undefined }),
      onProgress: () => undefined,
    },
  );
  if (!('error' in output) || output.error.code === 'INTERNAL') return 'accepted';
  expect(ERROR_CODES[output.error.code].httpStatus).toBeGreaterThanOrEqual(400);
  expect(ERROR_CODES[output.error.code].httpStatus).toBeLessThan(500);
  expect(output.error.message).not.toMatch(/127\.|passwd|secret/);
  return output.error.code;
}

const codeOfBytes = (bytes: Buffer): Promise<ErrorCode | 'accepted'> =>
  codeOf({ audio_base64: bytes.toString('base64') });

const targets = (): readonly string[] => scriptTargets(victimPort);

describe('scripts', () => {
  test.each(HOSTILE_SCRIPTS)(
    '%s is AUDIO_UNSUPPORTED, as it is and behind a byte order mark',
    async (name) => {
      for (const target of targets()) {
        expect(await codeOfBytes(scriptBytes(name, target))).toBe('AUDIO_UNSUPPORTED');
        const marked = scriptBytes(name, target, '\xef\xbb\xbf');
        expect(await codeOfBytes(marked)).toBe('AUDIO_UNSUPPORTED');
      }
    },
  );

  for (const [format, signature] of Object.entries(SIGNATURES)) {
    testWithFfmpeg(`scripts disguised as ${format} are AUDIO_UNDECODABLE`, async () => {
      const [target = ''] = targets();
      const codes = KNOWN_TO_FFMPEG.map((name) =>
        codeOfBytes(scriptBytes(name, target, signature)),
      );
      expect(new Set(await Promise.all(codes))).toEqual(new Set(['AUDIO_UNDECODABLE']));
    });
  }
});

describe('binaries', () => {
  for (const [what, bytes, code] of HOSTILE_BINARIES) {
    testWithFfmpeg(`${what} is ${code}`, async () => {
      expect(code.split(' or ')).toContain(await codeOfBytes(bytes));
    });
  }

  testWithFfmpeg('hours of silence in a few kilobytes stop at the limit of length', async () => {
    const paths = ['flac', 'ogg'].map((format) => join(bench.root, `bomb.${format}`));
    for (const path of paths) {
      await encodeSilence(path, 1200);
      expect(readFileSync(path).length).toBeLessThan(1_000_000);
      expect(await codeOf({ audio_url: path })).toBe('AUDIO_TOO_LONG');
    }
  });
});

const loopbackForms = (): string[] =>
  LOOPBACK_HOSTS.map((host) => `http://${host}:${victimPort}/a.wav`);

/** As public resolvers answer for names that contain an address. */
const resolveToVictim: Resolve = async () => [VICTIM];

describe('addresses', () => {
  test('no spelling of a private address is asked, directly or through a name', async () => {
    for (const audio_url of [...loopbackForms(), ...FORBIDDEN_PLACES]) {
      const code = await codeOf({ audio_url }, resolveToVictim);
      expect([audio_url, code]).toEqual([
        audio_url,
        expect.stringMatching(/^(URL_FORBIDDEN|PATH_FORBIDDEN|AUDIO_NOT_FOUND)$/),
      ]);
    }
  });

  test('no redirect leads to one', async () => {
    const resolve: Resolve = async (host) => [host === 'attacker.example' ? ATTACKER : VICTIM];
    for (const location of [...loopbackForms(), ...FORBIDDEN_PLACES, '//127.0.0.1/', 'http://[']) {
      // Relative to the attacker, so its own; and what no header can carry.
      if (/^(concat|subfile)|[^ -~]/.test(location)) continue;
      answerOfAttacker = () => [302, { location }];
      const audio_url = `http://attacker.example:${victimPort}/a.wav`;
      expect([location, await codeOf({ audio_url }, resolve)]).toEqual([location, 'URL_FORBIDDEN']);
    }
  });

  test('a name that changes its answer is connected to the address that was checked', async () => {
    answerOfAttacker = () => [200, {}, 'not audio'];
    const checked: Resolve = async () => [ATTACKER]; // while the system resolves it to 127.0.0.1
    const audio_url = `http://localhost:${victimPort}/a.wav`;
    expect(await codeOf({ audio_url }, checked)).toBe('AUDIO_UNSUPPORTED');
  });

  test('a name that changes its answer between tries or redirects is checked again', async () => {
    for (const answer of [503, 302]) {
      let asked = 0;
      answerOfAttacker = () => [answer, { location: '/again' }];
      const changing: Resolve = async () => [asked++ === 0 ? ATTACKER : VICTIM];
      const audio_url = `http://changing.example:${victimPort}/a.wav`;
      expect(await codeOf({ audio_url }, changing)).toBe('URL_FORBIDDEN');
    }
  });

  test('a name with one private address among others is refused', async () => {
    const mixed: Resolve = async () => [{ address: '93.184.216.34', family: 4 }, VICTIM];
    const audio_url = `http://mixed.example:${victimPort}/a.wav`;
    expect(await codeOf({ audio_url }, mixed)).toBe('URL_FORBIDDEN');
  });

  test('an answer that is or unpacks to more than is allowed, or a playlist, is refused', async () => {
    const resolve: Resolve = async () => [ATTACKER];
    const audio_url = `http://attacker.example:${victimPort}/a.wav`;
    const gzip = { 'content-encoding': 'gzip', 'content-type': 'audio/wav' };
    answerOfAttacker = () => [200, gzip, gzipSync(Buffer.alloc(50_000_000))];
    expect(await codeOf({ audio_url }, resolve)).toBe('AUDIO_TOO_LARGE');
    const playlist = scriptBytes('playlist.m3u8', targets()[0]!);
    answerOfAttacker = () => [200, { 'content-type': 'audio/mpeg' }, playlist];
    expect(await codeOf({ audio_url }, resolve)).toBe('AUDIO_UNSUPPORTED');
    answerOfAttacker = () => [200, {}, Buffer.alloc(bench.limits.maxBytes + 1)];
    expect(await codeOf({ audio_url }, resolve)).toBe('AUDIO_TOO_LARGE');
  });
});
