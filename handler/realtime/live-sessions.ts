import { createHash, randomBytes, randomUUID, timingSafeEqual } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { createSpoolFolder, type SpoolFolder } from '../../audio/spool.ts';
import { SttError } from '../../core/errors.ts';
import type { Logger } from '../../core/logger.ts';
import type { VoiceActivityModel } from '../../pipeline/contracts.ts';
import { initialLiveState, type LiveOptions } from '../../pipeline/realtime/session-state.ts';
import type { AudioFormat, RealtimeCaller, RefineSession, WindowRecognizer } from './contracts.ts';
import { LiveHost } from './live-host.ts';
import { SessionAudio } from './session-audio.ts';
import { SessionIntake } from './session-intake.ts';
import { type SessionIdentity, SessionStore, storedSessions } from './session-store.ts';
import type { WindowTiming } from './window-caller.ts';

export interface LiveSessionsOptions {
  readonly recognizer: WindowRecognizer;
  readonly voiceActivity: VoiceActivityModel;
  readonly logger: Logger;
  /** Sessions stored there survive this process; without it they end with it. */
  readonly dataDir?: string | undefined;
  readonly spoolDir?: string | undefined;
  readonly ffmpegPath?: string | undefined;
  /** What is made of a session's audio once it has ended; asked where the caller keeps audio. */
  readonly refine?: RefineSession | undefined;
  /** How long a session waits for its client to come back. */
  readonly resumeSec?: number;
  readonly maxSessions?: number;
  readonly live?: LiveOptions;
  readonly timing?: WindowTiming;
}

/** How a session differs from what it would be by default. */
export interface SessionManner {
  /** False: it ends with its socket, and nothing of it outlives the process. */
  readonly isResumable?: boolean;
  readonly live?: LiveOptions | undefined;
}

export interface StartOptions extends SessionManner {
  /** Chosen by the client, or null. */
  readonly sessionId: string | null;
  readonly meetingId: string | null;
  readonly language: string | null;
  readonly format: AudioFormat;
}

/** A session and what ends it if its client does not return. */
export interface OpenSession {
  readonly host: LiveHost;
  readonly intake: SessionIntake;
  /** The refined transcript; null where none is made. Never rejects. */
  readonly refined: Promise<unknown>;
}

interface SessionFiles {
  readonly store: SessionStore;
  readonly audio: SessionAudio;
}

interface Entry extends OpenSession {
  readonly store: SessionStore;
  /** How long it waits for its client. */
  readonly resumeMs: number;
  abandonment: NodeJS.Timeout | undefined;
}

const DEFAULT_RESUME_SEC = 60;
const DEFAULT_MAX_SESSIONS = 64;

/** All live sessions of this process, each under its tenant and its name. */
export class LiveSessions {
  readonly #options: LiveSessionsOptions;
  readonly #sessions = new Map<string, Entry>();
  #spool: Promise<SpoolFolder> | undefined;

  constructor(options: LiveSessionsOptions) {
    this.#options = options;
  }

  get #resumeMs(): number {
    return (this.#options.resumeSec ?? DEFAULT_RESUME_SEC) * 1000;
  }

  get count(): number {
    return this.#sessions.size;
  }

  countOf(tenant: string | null): number {
    return [...this.#sessions.values()].filter(({ host }) => host.identity.tenant === tenant)
      .length;
  }

  /**
   * A new session; one of the same name that its client has left is ended and replaced.
   * @throws {SttError} SERVICE_BUSY, CONCURRENCY_LIMITED, INPUT_INVALID for a name that is in use.
   */
  async start(
    caller: RealtimeCaller,
    { sessionId, meetingId, language, format, isResumable = true, live: manner }: StartOptions,
  ): Promise<OpenSession & { readonly resumeToken: string }> {
    const name = sessionId ?? randomUUID();
    this.#makeRoom(caller, name);
    const resumeToken = randomBytes(24).toString('base64url');
    const { tenant } = caller;
    const keepsAudio = caller.keepsAudio && this.#options.refine !== undefined;
    const fixed = { sessionId: name, meetingId, tenant, language, format, keepsAudio };
    const identity = { key: randomUUID(), ...fixed, resumeTokenHash: hashOf(resumeToken) };
    const store = await this.#storeOf(identity.key, isResumable);
    const live = initialLiveState(language);
    const counts = { chunkSeq: 0, sampleCount: 0, eventSeq: 0 };
    const audio = await SessionAudio.open(store.folder);
    const checkpoint = { version: 1, identity, epoch: 1, live, ...counts } as const;
    const ports = { ...this.#options, live: manner ?? this.#options.live, audio, store };
    const resumeMs = isResumable ? this.#resumeMs : 0;
    return { ...this.#adopt(new LiveHost(checkpoint, [], ports), ports, resumeMs), resumeToken };
  }

  /** @throws {SttError} NOT_FOUND for an unknown session and for a wrong token alike. */
  resume(caller: RealtimeCaller, sessionId: string, resumeToken: string): OpenSession {
    const entry = this.#sessions.get(nameOf(caller.tenant, sessionId));
    if (!entry || !isSameHash(entry.host.identity.resumeTokenHash, hashOf(resumeToken))) {
      throw new SttError('NOT_FOUND', 'No such session, or it has ended');
    }
    clearTimeout(entry.abandonment);
    return entry;
  }

  /** Its client is gone: the session waits, then ends as if the client had ended it. */
  abandon({ identity, isListenedTo }: LiveHost): void {
    const entry = this.#sessions.get(nameOf(identity.tenant, identity.sessionId));
    if (!entry || isListenedTo || entry.host.identity.key !== identity.key) return;
    clearTimeout(entry.abandonment);
    entry.abandonment = setTimeout(() => entry.host.end(), entry.resumeMs).unref();
  }

  /** Takes up the sessions that an earlier process left; each waits for its client. */
  async restore(): Promise<number> {
    const { dataDir } = this.#options;
    if (dataDir === undefined) return 0;
    let restored = 0;
    for (const store of await storedSessions(join(dataDir, 'realtime'))) {
      const stored = await store.load();
      if (stored === undefined) {
        await store.remove();
        continue;
      }
      const { checkpoint, events } = stored;
      const audio = await SessionAudio.open(store.folder, checkpoint.sampleCount);
      const next = { ...checkpoint, epoch: checkpoint.epoch + 1 };
      const host = new LiveHost(next, events, { ...this.#options, audio, store });
      this.#adopt(host, { store, audio });
      await host.recover();
      this.abandon(host);
      restored += 1;
    }
    return restored;
  }

  /** Ends the work of this process; stored sessions are taken up by the next one. */
  async close(): Promise<void> {
    for (const { host, intake, abandonment } of this.#sessions.values()) {
      clearTimeout(abandonment);
      host.close();
      intake.close();
    }
    this.#sessions.clear();
    await (await this.#spool)?.remove();
  }

  #makeRoom({ tenant, maxSessions }: RealtimeCaller, sessionId: string): void {
    const old = this.#sessions.get(nameOf(tenant, sessionId));
    if (old?.host.isListenedTo) {
      throw new SttError('INPUT_INVALID', 'session_id: a session of this name is under way');
    }
    if (old) {
      clearTimeout(old.abandonment);
      old.host.end();
      this.#sessions.delete(nameOf(tenant, sessionId));
    }
    if (this.count >= (this.#options.maxSessions ?? DEFAULT_MAX_SESSIONS)) {
      throw new SttError(
        'SERVICE_BUSY',
        `${this.count} live sessions are under way, the most here`,
      );
    }
    if (maxSessions !== undefined && this.countOf(tenant) >= maxSessions) {
      throw new SttError('CONCURRENCY_LIMITED', `${maxSessions} live sessions are the limit`);
    }
  }

  async #storeOf(key: string, isDurable: boolean): Promise<SessionStore> {
    const { dataDir, spoolDir } = this.#options;
    if (dataDir !== undefined && isDurable)
      return new SessionStore(join(dataDir, 'realtime', key), true);
    this.#spool ??= createSpoolFolder(spoolDir);
    return new SessionStore(join((await this.#spool).path, key), false);
  }

  #adopt(host: LiveHost, { store, audio }: SessionFiles, resumeMs: number = this.#resumeMs): Entry {
    const name = nameOf(host.identity.tenant, host.identity.sessionId);
    const { format } = host.identity;
    const intake = new SessionIntake(host, format, this.#options.ffmpegPath);
    const entry: Entry = {
      ...{ host, intake, store, resumeMs, abandonment: undefined },
      refined: this.#outcome({ host, intake, store, resumeMs }, audio),
    };
    this.#sessions.set(name, entry);
    return entry;
  }

  async #outcome(
    { host, intake, store, resumeMs }: Omit<Entry, 'refined' | 'abandonment'>,
    audio: SessionAudio,
  ): Promise<unknown> {
    try {
      await host.ended;
      const isHeard = host.isListenedTo;
      const refined = await this.#refine(host.identity, audio);
      // Who was cut off at the end may still come for it.
      const isTold = isHeard && (refined === null || host.isListenedTo);
      void this.#forgetAfter(isTold ? 0 : resumeMs, { host, intake, store });
      return refined;
    } catch (thrown) {
      this.#options.logger.error({ err: SttError.from(thrown) }, 'live session failed');
      await this.#forget({ host, intake, store });
      return null;
    }
  }

  async #forgetAfter(
    waitMs: number,
    session: Pick<Entry, 'host' | 'intake' | 'store'>,
  ): Promise<void> {
    await pause(waitMs, undefined, { ref: false });
    await this.#forget(session);
  }

  async #forget({ host, intake, store }: Pick<Entry, 'host' | 'intake' | 'store'>): Promise<void> {
    intake.close();
    await store.remove();
    const name = nameOf(host.identity.tenant, host.identity.sessionId);
    const entry = this.#sessions.get(name);
    host.close();
    if (entry?.host !== host) return;
    clearTimeout(entry.abandonment);
    this.#sessions.delete(name);
  }

  async #refine(identity: SessionIdentity, audio: SessionAudio): Promise<unknown> {
    const { refine } = this.#options;
    if (!identity.keepsAudio || refine === undefined || audio.sampleCount === 0) return null;
    const { sessionId, meetingId, tenant, language } = identity;
    return await refine({ sessionId, meetingId, tenant, language, wav: audio.asWav() });
  }
}

const nameOf = (tenant: string | null, sessionId: string): string =>
  JSON.stringify([tenant, sessionId]);

const hashOf = (token: string): string => createHash('sha256').update(token).digest('hex');

const isSameHash = (a: string, b: string): boolean =>
  timingSafeEqual(Buffer.from(a, 'hex'), Buffer.from(b, 'hex'));
