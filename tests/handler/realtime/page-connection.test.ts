import type { AddressInfo } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import Fastify, { type FastifyInstance } from 'fastify';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import WebSocket from 'ws';
import { z } from 'zod';
import { SAMPLE_RATE_HZ } from '../../../audio/time.ts';
import { createLogger } from '../../../core/logger.ts';
import { LiveSessions } from '../../../handler/realtime/live-sessions.ts';
import { registerRealtime } from '../../../handler/realtime/register-realtime.ts';
import {
  levelRecognizer,
  levelVoiceActivity,
  spokenLevels,
  textOfLevels,
} from '../../fakes/spoken-levels.ts';

/** The page's own client, on real sockets, without a browser. */
const ASSET = new URL('../../../handler/http/page/assets/live-connection.js', import.meta.url);
const PIECE_SAMPLES = SAMPLE_RATE_HZ / 10;
const WORDS = 12;

interface PageConnection {
  send(piece: Int16Array): void;
  end(): void;
}
interface Hooks {
  onEvent(event: { readonly type: string; readonly [field: string]: unknown }): void;
  onCut(): void;
  onEnd(error: unknown): void;
}
const isFunction = (value: unknown): boolean => typeof value === 'function';
const Module = z.object({
  LiveConnection: z.custom<new (start: object, hooks: Hooks) => PageConnection>(isFunction),
});

const logger = createLogger('silent', { write: () => {} });
const sockets: WebSocket[] = [];
let app: FastifyInstance;

class WatchedWebSocket extends WebSocket {
  constructor(url: string) {
    super(url);
    sockets.push(this);
  }
}

beforeEach(() => {
  vi.stubGlobal('WebSocket', WatchedWebSocket);
  vi.stubGlobal('sessionStorage', { getItem: () => null });
});
afterEach(async () => {
  vi.unstubAllGlobals();
  sockets.length = 0;
  await app.close();
});

async function serve({ maxSessionSec = 3600, resumeSec = 60 }): Promise<void> {
  const [recognizer, voiceActivity] = [levelRecognizer(), levelVoiceActivity()];
  const sessions = new LiveSessions({ recognizer, voiceActivity, logger, resumeSec });
  app = Fastify();
  const identify = () => ({ tenant: null, keepsAudio: false });
  const limits = { maxSessionSec };
  await registerRealtime(app, { sessions: () => sessions, identify, logger, limits });
  app.addHook('onClose', () => sessions.close());
  await app.listen({ port: 0, host: '127.0.0.1' });
  const { port } = app.server.address() as AddressInfo;
  vi.stubGlobal('location', { origin: `http://127.0.0.1:${port}` });
}

/** Speaks on until there is a second session; `onPiece` may get in the way. Returns what was final. */
async function speakIntoTwoSessions(onPiece: (count: number) => void = () => {}) {
  const { LiveConnection } = Module.parse(await import(ASSET.href));
  const words: string[] = [];
  let sessions = 0;
  let end: (error: unknown) => void = () => {};
  const ended = new Promise((resolve) => {
    end = resolve;
  });
  const connection = new LiveConnection(
    { language: 'en', sampleRateHz: SAMPLE_RATE_HZ, isDiarized: false },
    {
      onEvent: ({ type, text }) => {
        if (type === 'session_started') sessions += 1;
        if (type === 'transcript_final') words.push(...String(text).trim().split(' '));
      },
      onCut: () => {},
      onEnd: end,
    },
  );
  const waveform = Int16Array.from(spokenLevels(WORDS), (level) => Math.round(level * 32_767));
  for (let count = 0; count * PIECE_SAMPLES < waveform.length || sessions < 2; count++) {
    const piece = new Int16Array(PIECE_SAMPLES);
    piece.set(waveform.subarray(count * PIECE_SAMPLES, (count + 1) * PIECE_SAMPLES));
    connection.send(piece);
    onPiece(count);
    if (sessions < 2) await pause(20);
  }
  connection.end();
  expect(await ended).toBeNull();
  // A word that the end of a session cuts in two is heard in both.
  return { text: words.filter((word, at) => word !== words[at - 1]).join(' '), sessions };
}

test('a session that is as long as it may be is followed by another, and nothing is lost', async () => {
  await serve({ maxSessionSec: 2 });
  const { text, sessions } = await speakIntoTwoSessions();
  expect(text).toBe(textOfLevels(WORDS));
  expect(sessions).toBeGreaterThanOrEqual(2);
});

test('a client that was away for longer than its session waits goes on in another', async () => {
  await serve({ resumeSec: 0.6 });
  const { text } = await speakIntoTwoSessions((count) => {
    if (count === 30) sockets.at(-1)?.terminate();
  });
  expect(text).toBe(textOfLevels(WORDS));
});
