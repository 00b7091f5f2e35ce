import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SAMPLE_RATE_HZ } from '../../../audio/time.ts';
import type { ErrorCode } from '../../../core/errors.ts';
import { createLogger } from '../../../core/logger.ts';
import type { LiveWireEvent } from '../../../handler/realtime/live-events.ts';
import type { SessionListener } from '../../../handler/realtime/live-host-ports.ts';
import { LiveSessions } from '../../../handler/realtime/live-sessions.ts';
import type {
  LiveSessionsOptions,
  OpenSession,
} from '../../../handler/realtime/session-contracts.ts';
import { levelRecognizer, levelVoiceActivity, spokenLevels } from '../../fakes/spoken-levels.ts';

export const CALLER = { tenant: 't', keepsAudio: true };
export const FORMAT = { encoding: 'float32', sampleRateHz: SAMPLE_RATE_HZ } as const;
export const SPEECH = spokenLevels(12);
const PIECE_SAMPLES = SAMPLE_RATE_HZ / 4;
export const PATIENT = { timeoutMs: 5000, patienceMs: 10_000, backoffMs: 2 };
const logger = createLogger('silent', { write: () => {} });
/** Sessions in a folder of their own, with words that are levels: no model, no network. */
export class SessionBench {
  readonly dataDir: string;
  readonly #opened: LiveSessions[] = [];

  private constructor(dataDir: string) {
    this.dataDir = dataDir;
  }

  static async open(): Promise<SessionBench> {
    return new SessionBench(await mkdtemp(join(tmpdir(), 'stt-failures-')));
  }

  /** As a process that starts on that folder. */
  sessions(options: Partial<LiveSessionsOptions> = {}): LiveSessions {
    const sessions = new LiveSessions({
      recognizer: levelRecognizer(),
      voiceActivity: levelVoiceActivity(),
      timing: PATIENT,
      ...{ logger, dataDir: this.dataDir },
      ...options,
    });
    this.#opened.push(sessions);
    return sessions;
  }

  async close(): Promise<void> {
    for (const sessions of this.#opened) await sessions.close();
    await rm(this.dataDir, { recursive: true });
  }
}

export const start = (sessions: LiveSessions) =>
  sessions.start(CALLER, { sessionId: 's', meetingId: 'm', language: 'en', format: FORMAT });

/** What the client of a session knows, over all its sockets. */
export class Ear implements SessionListener {
  readonly events: LiveWireEvent[] = [];
  readonly delays: ErrorCode[] = [];
  acknowledged = 0;

  onEvent(event: LiveWireEvent): void {
    this.events.push(event);
  }
  onAcknowledged(chunkSeq: number): void {
    this.acknowledged = chunkSeq;
  }
  onDelayed(code: ErrorCode): void {
    this.delays.push(code);
  }
  onReplaced(): void {}

  get lastSeq(): number {
    return this.events.flatMap((event) => ('event_seq' in event ? [event.event_seq] : [])).length;
  }
  get text(): string {
    const finals = this.events.filter(({ type }) => type === 'transcript_final');
    return finals
      .map((event) => ('text' in event ? event.text : ''))
      .join('')
      .trim();
  }
  get gaps(): number {
    return this.events.filter(({ type }) => type === 'transcript_gap').length;
  }
}

/** Says all that has not arrived, and no more than `untilSec`. */
export function speak({ intake }: OpenSession, untilSec = Number.POSITIVE_INFINITY): void {
  const until = Math.min(SPEECH.length, untilSec * SAMPLE_RATE_HZ);
  for (let seq = intake.receivedSeq + 1; seq * PIECE_SAMPLES <= until; seq++) {
    const samples = SPEECH.subarray((seq - 1) * PIECE_SAMPLES, seq * PIECE_SAMPLES);
    intake.accept(Buffer.from(samples.buffer, samples.byteOffset, samples.byteLength), seq);
  }
}

export async function heardToTheEnd(session: OpenSession, ear: Ear) {
  session.host.listen(ear, ear.lastSeq);
  speak(session);
  await session.intake.flush();
  session.host.end('client');
  return await session.outcome;
}
