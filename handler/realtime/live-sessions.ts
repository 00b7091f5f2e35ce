import { randomBytes, randomUUID } from 'node:crypto';
import { basename, join } from 'node:path';
import { createSpoolFolder, type SpoolFolder } from '../../audio/spool.ts';
import { samplesToSec } from '../../audio/time.ts';
import { SttError } from '../../core/errors.ts';
import { spokenLanguage } from '../../core/languages.ts';
import { languageBeforeListening } from '../../pipeline/languages.ts';
import { initialLiveState } from '../../pipeline/realtime/session-state.ts';
import { hashKey } from '../tenants/key-ring.ts';
import type { RealtimeCaller, RefinedTranscript } from './contracts.ts';
import { HostedSession } from './hosted-session.ts';
import type { LiveHost } from './live-host.ts';
import { SessionAudio } from './session-audio.ts';
import type { LiveSessionsOptions, OpenSession, StartOptions } from './session-contracts.ts';
import { isSameHash, SessionRegistry } from './session-registry.ts';
import { SessionStore, storedSessions } from './session-store.ts';

/** How often a process says that its sessions are in use, where others see them. */
const TOUCH_MS = 5000;
/** After this silence they are left. */
const ABANDONED_MS = 15_000;
const DEFAULT_RESUME_SEC = 60;
const DEFAULT_MAX_SESSIONS = 64;
/** What cannot be read, by a mishap or a version of tomorrow, is kept so long for whoever can. */
const UNREADABLE_KEPT_MS = 24 * 60 * 60 * 1000;

/** All live sessions of this process, each under its tenant and its name. */
export class LiveSessions {
  readonly #options: LiveSessionsOptions;
  readonly #sessions = new SessionRegistry<HostedSession>();
  readonly #sharing: NodeJS.Timeout | undefined;
  #spool: Promise<SpoolFolder> | undefined;

  constructor(options: LiveSessionsOptions) {
    this.#options = options;
    if (options.isShared) this.#sharing = setInterval(() => void this.#share(), TOUCH_MS).unref();
  }

  get count(): number {
    return this.#sessions.count;
  }

  /** The longest stretch of audio of any session whose text is not final yet. */
  get lagSec(): number {
    const lags = this.#sessions.all().map((session) => session.lagSamples);
    return samplesToSec(Math.max(0, ...lags));
  }

  /** Sessions under way by tenant. */
  byTenant(): ReadonlyMap<string | null, number> {
    return this.#sessions.byTenant();
  }

  countOf(tenant: string | null): number {
    return this.#sessions.countOf(tenant);
  }

  /**
   * A new session; one of the same name that its client has left is ended and replaced.
   * @throws {SttError} SERVICE_BUSY, CONCURRENCY_LIMITED, QUOTA_EXCEEDED, URL_FORBIDDEN,
   * LANGUAGE_UNSUPPORTED, INPUT_INVALID for a name that is in use.
   */
  async start(
    caller: RealtimeCaller,
    options: StartOptions,
  ): Promise<OpenSession & { readonly resumeToken: string }> {
    const { sessionId, meetingId, format, webhookUrl = null, languages = [] } = options;
    const { language, chineseScript = null } = options;
    const { tenant } = caller;
    const keepsAudio = caller.keepsAudio && this.#options.refinement !== undefined;
    const spoken = this.#spoken({ language, languages });
    this.#options.usage?.assertLeft(tenant);
    await this.#checkWebhook(tenant, webhookUrl, keepsAudio);
    const name = sessionId ?? randomUUID();
    this.#makeRoom(caller, name);
    const resumeToken = randomBytes(24).toString('base64url');
    const named = { sessionId: name, meetingId, tenant, language, languages, chineseScript };
    const fixed = { ...named, format, keepsAudio, webhookUrl };
    const identity = { key: randomUUID(), ...fixed, resumeTokenHash: hashKey(resumeToken) };
    const isResumable = options.isResumable ?? true;
    const session = new HostedSession(identity, {
      options: { ...this.#options, live: options.live ?? this.#options.live },
      resumeMs: isResumable ? this.#resumeMs : 0,
      onForgotten: () => this.#sessions.remove(session),
    });
    this.#sessions.add(session); // Room is taken before anything is waited for.
    try {
      const store = await this.#storeOf(identity.key, isResumable);
      const counts = { chunkSeq: 0, sampleCount: 0, eventSeq: 0, countedSamples: 0 };
      const live = initialLiveState(spoken.language, options.diarize, spoken.languages);
      const checkpoint = { version: 2, identity, epoch: 1, live, ...counts, ending: null } as const;
      await store.save(checkpoint, []); // From its first answer on it survives this process.
      session.begin(checkpoint, [], { store, audio: await SessionAudio.open(store.folder) });
    } catch (thrown) {
      this.#sessions.remove(session);
      throw thrown;
    }
    return { ...session.open, resumeToken };
  }

  /** @throws {SttError} NOT_FOUND for an unknown session and for a wrong token alike. */
  async resume(
    { tenant }: RealtimeCaller,
    sessionId: string,
    resumeToken: string,
  ): Promise<OpenSession> {
    const session = this.#sessions.find({ tenant, sessionId });
    if (!session) await this.#assertNotElsewhere(tenant, sessionId);
    if (!session || !isSameHash(session.identity.resumeTokenHash, hashKey(resumeToken))) {
      throw new SttError('NOT_FOUND', 'No such session, or it has ended');
    }
    const open = await session.resume();
    this.#options.meter?.resumed(open.host.epoch > 1 ? 'restart' : 'cut');
    return open;
  }

  /** Its client is gone: the session waits, then ends as if the client had ended it. */
  abandon(host: LiveHost): void {
    this.#hostedBy(host)?.abandon();
  }

  /** Its client has heard how it ended, and will not come back. */
  release(host: LiveHost): void {
    this.#hostedBy(host)?.release();
  }

  /** The job of a session that has ended, once it is settled; undefined where nobody waits for it. */
  async refined(
    { tenant }: { readonly tenant: string | null },
    jobId: string,
    { signal, maxWaitSec }: { readonly signal: AbortSignal; readonly maxWaitSec: number },
  ): Promise<RefinedTranscript | undefined> {
    const { refinement, logger } = this.#options;
    const stop = AbortSignal.any([signal, AbortSignal.timeout(maxWaitSec * 1000)]);
    try {
      return await refinement?.outcome(tenant, jobId, stop);
    } catch (thrown) {
      logger.warn({ err: SttError.from(thrown) }, 'refined transcript not told');
      return undefined; // It is at `/stt/jobs` all the same.
    }
  }

  /** Takes up the sessions that an earlier process left; each waits for its client. */
  async restore(): Promise<number> {
    const { dataDir, logger } = this.#options;
    if (dataDir === undefined) return 0;
    let restored = 0;
    for (const store of await storedSessions(join(dataDir, 'realtime'))) {
      try {
        if (await this.#restoreOne(store)) restored += 1;
      } catch (thrown) {
        logger.error({ err: SttError.from(thrown) }, 'live session not restored');
        if ((await store.ageMs()) > UNREADABLE_KEPT_MS) await store.remove();
      }
    }
    return restored;
  }

  async #restoreOne(store: SessionStore): Promise<boolean> {
    if (this.#isHere(store) || (await this.#isElsewhere(store))) return false;
    const stored = await store.load();
    if (stored === undefined) {
      await store.remove(); // Nothing of it was ever acknowledged.
      return false;
    }
    if (this.#options.isShared && !(await store.claim(stored.checkpoint.epoch + 1))) return false;
    const session = new HostedSession(stored.checkpoint.identity, {
      options: this.#options,
      resumeMs: this.#resumeMs,
      onForgotten: () => this.#sessions.remove(session),
    });
    await session.takeUp(store, stored);
    this.#sessions.add(session);
    session.abandon();
    return true;
  }

  /** Ends the work of this process; stored sessions are taken up by the next one. */
  async close(): Promise<void> {
    clearInterval(this.#sharing);
    await Promise.all(this.#sessions.all().map((session) => session.close()));
    await (await this.#spool)?.remove();
  }

  /** Says which sessions are in use, and takes up those of processes that say so no more. */
  async #share(): Promise<void> {
    await Promise.all(this.#sessions.all().map((session) => session.touch()));
    await this.restore();
  }

  #isHere({ folder }: SessionStore): boolean {
    return this.#sessions.all().some(({ identity }) => basename(folder) === identity.key);
  }

  async #isElsewhere(store: SessionStore): Promise<boolean> {
    return this.#options.isShared === true && (await store.ageMs()) < ABANDONED_MS;
  }

  /** @throws {SttError} SERVICE_BUSY for a session that another process has, or has just left. */
  async #assertNotElsewhere(tenant: string | null, sessionId: string): Promise<void> {
    const { dataDir, isShared } = this.#options;
    if (!isShared || dataDir === undefined) return;
    for (const store of await storedSessions(join(dataDir, 'realtime'))) {
      const stored = await store.load().catch(() => undefined);
      const identity = stored?.checkpoint.identity;
      if (identity?.tenant !== tenant || identity.sessionId !== sessionId) continue;
      throw new SttError('SERVICE_BUSY', 'Another process has the session: come again in seconds');
    }
  }

  /** Codes of what may be spoken. @throws {SttError} LANGUAGE_UNSUPPORTED */
  #spoken(tags: { readonly language: string | null; readonly languages: readonly string[] }) {
    const languages = tags.languages.map(codeOf);
    const only = languages.length === 1 ? languages[0]! : null;
    const spoken = { language: tags.language === null ? only : codeOf(tags.language), languages };
    const { model } = this.#options;
    if (model) languageBeforeListening({ ...spoken, task: 'transcribe' }, model);
    return spoken;
  }

  get #resumeMs(): number {
    return (this.#options.resumeSec ?? DEFAULT_RESUME_SEC) * 1000;
  }

  #hostedBy(host: LiveHost): HostedSession | undefined {
    return this.#sessions.all().find((session) => session.isHostedBy(host));
  }

  async #checkWebhook(
    tenant: string | null,
    url: string | null,
    keepsAudio: boolean,
  ): Promise<void> {
    if (url === null) return;
    if (!keepsAudio) {
      const message = 'webhook_url: audio is not kept here, so no refined transcript is made';
      throw new SttError('INPUT_INVALID', message);
    }
    await this.#options.refinement?.checkWebhook(tenant, url);
  }

  #makeRoom({ tenant, maxSessions }: RealtimeCaller, sessionId: string): void {
    const old = this.#sessions.find({ tenant, sessionId });
    if (old && !old.isOver && old.isListenedTo) {
      throw new SttError('INPUT_INVALID', 'session_id: a session of this name is under way');
    }
    if (old && !old.isOver) old.replace();
    const most = this.#options.maxSessions ?? DEFAULT_MAX_SESSIONS;
    if (this.count >= most) {
      throw new SttError('SERVICE_BUSY', `${most} live sessions are under way, the most here`);
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
}

const codeOf = (tag: string): string => spokenLanguage(tag)?.code ?? tag;
