import { setTimeout as pause } from 'node:timers/promises';
import { SttError } from '../../core/errors.ts';
import { handOver } from './hand-over.ts';
import { LiveHost } from './live-host.ts';
import { SessionAudio } from './session-audio.ts';
import type { LiveSessionsOptions, OpenSession, SessionOutcome } from './session-contracts.ts';
import { SessionIntake } from './session-intake.ts';
import type {
  NumberedEvent,
  SessionCheckpoint,
  SessionIdentity,
  SessionStore,
} from './session-store.ts';

export interface HostedParts {
  readonly options: LiveSessionsOptions;
  /** How long it waits for its client. */
  readonly resumeMs: number;
  readonly onForgotten: () => void;
}

interface SessionFiles {
  readonly store: SessionStore;
  readonly audio: SessionAudio;
}

interface Stored {
  readonly checkpoint: SessionCheckpoint;
  readonly events: readonly NumberedEvent[];
}

/** Times that a session which cannot go on is taken up again from its files. */
const MAX_REVIVALS = 5;

/** One session from its start until its files are gone: who hosts it, and how long it waits. */
export class HostedSession {
  readonly identity: SessionIdentity;
  readonly #parts: HostedParts;
  readonly #closed = new AbortController();
  readonly #released = new AbortController();
  #open: OpenSession | undefined;
  #store: SessionStore | undefined;
  #waiting: NodeJS.Timeout | undefined;
  #isReplaced = false;
  #isOver = false;
  #revivals = 0;
  /** Set while it is suspended: its host could not go on, and its files wait. */
  #reviving: (() => Promise<void>) | undefined;

  constructor(identity: SessionIdentity, parts: HostedParts) {
    this.identity = identity;
    this.#parts = parts;
  }

  get open(): OpenSession {
    if (this.#open) return this.#open;
    throw new SttError('INTERNAL', 'A session was used before it began');
  }

  /** All that was said is final, or it has been given up. */
  get isOver(): boolean {
    return this.#isOver || this.#isReplaced;
  }

  get isListenedTo(): boolean {
    return this.#open?.host.isListenedTo ?? true; // One that is just beginning will be.
  }

  get lagSamples(): number {
    return this.isOver ? 0 : (this.#open?.host.lagSamples ?? 0);
  }

  isHostedBy(host: LiveHost): boolean {
    return this.#open?.host === host;
  }

  begin(
    checkpoint: SessionCheckpoint,
    events: readonly NumberedEvent[],
    { store, audio }: SessionFiles,
  ): void {
    const { options } = this.#parts;
    const host = new LiveHost(checkpoint, events, { ...options, store, audio });
    const intake = new SessionIntake(host, store, options.ffmpegPath);
    this.#store = store;
    const outcome = this.#outcomeOf(host, { store, audio });
    outcome.then(
      () => void this.#forgetInTime(),
      (thrown: unknown) => void this.#suspend(SttError.from(thrown)),
    );
    this.#open = { host, intake, outcome };
  }

  /** Goes on with what another process, or this one, has stored. */
  async takeUp(store: SessionStore, { checkpoint, events }: Stored): Promise<void> {
    const audio = await SessionAudio.open(store.folder, checkpoint.sampleCount);
    this.begin({ ...checkpoint, epoch: checkpoint.epoch + 1 }, events, { store, audio });
    this.open.host.recover();
    await this.open.intake.takeUp();
  }

  /** @throws {SttError} what keeps it from going on. */
  async resume(): Promise<OpenSession> {
    clearTimeout(this.#waiting);
    await this.#reviving?.();
    return this.open;
  }

  /** Tells other processes that the session has a host. */
  async touch(): Promise<void> {
    await this.#store?.touch().catch(() => undefined); // The next time is soon enough.
  }

  /** Its client is gone: it waits, then ends as if the client had ended it. */
  abandon(): void {
    if (this.#reviving || this.#isOver || this.#open?.host.isListenedTo) return;
    this.#endIn(this.#parts.resumeMs);
  }

  /** Its client has begun another one of the same name. */
  replace(): void {
    this.#isReplaced = true;
    if (!this.#reviving) this.#endIn(0);
  }

  /** Its client knows all that there is to know. */
  release(): void {
    if (this.#isOver) this.#released.abort();
  }

  /** Ends the work of this process. */
  async close(): Promise<void> {
    this.#closed.abort(new SttError('SHUTTING_DOWN', 'The service stops'));
    clearTimeout(this.#waiting);
    this.#open?.intake.close();
    await this.#open?.host.close();
  }

  #endIn(waitMs: number): void {
    clearTimeout(this.#waiting);
    const end = async (): Promise<void> => {
      const { intake, host } = this.open;
      await intake.flush();
      host.end('abandoned');
    };
    this.#waiting = setTimeout(() => void end(), waitMs).unref();
  }

  async #outcomeOf(host: LiveHost, files: SessionFiles): Promise<SessionOutcome> {
    const { refinement, logger } = this.#parts.options;
    await host.ended;
    const { reason, error } = host.ending ?? { reason: 'abandoned', error: null };
    const signal = this.#closed.signal;
    const onLate = (err: SttError): void => logger.warn({ err }, 'live session not handed over');
    const jobId = refinement
      ? await handOver(this.identity, { ...files, refinement, signal, onLate })
      : null;
    this.#isOver = true;
    return { reason, jobId, error: error && new SttError(error.code, error.message) };
  }

  /** Who was cut off at the end may still come for it. */
  async #forgetInTime(): Promise<void> {
    const signal = AbortSignal.any([this.#closed.signal, this.#released.signal]);
    await pause(this.#parts.resumeMs, undefined, { ref: false, signal }).catch(() => undefined);
    if (!this.#closed.signal.aborted) await this.#forget();
  }

  async #forget(): Promise<void> {
    this.#isOver = true;
    await this.close();
    this.#parts.onForgotten();
    await this.#store?.remove().catch((thrown: unknown) => {
      this.#parts.options.logger.warn({ err: SttError.from(thrown) }, 'live session not removed');
    });
  }

  /** Its files stay as they are, for its client's return or a later try of this process. */
  async #suspend(err: SttError): Promise<void> {
    if (this.#closed.signal.aborted) return;
    const { logger } = this.#parts.options;
    const { intake } = this.open;
    intake.close();
    const isHopeless = err.code === 'LANGUAGE_UNSUPPORTED' || !this.#store?.isDurable;
    if (isHopeless || this.#revivals >= MAX_REVIVALS) {
      logger.error({ err }, 'live session failed');
      await this.#forget();
      return;
    }
    this.#revivals += 1;
    logger.error({ err, revivals: this.#revivals }, 'live session suspended');
    let reviving: Promise<void> | undefined;
    this.#reviving = () => {
      reviving ??= this.#revive().catch((thrown: unknown) => {
        reviving = undefined;
        throw thrown;
      });
      return reviving;
    };
    this.#reviveIn(this.#parts.resumeMs * 2 ** (this.#revivals - 1));
  }

  #reviveIn(waitMs: number): void {
    const revive = async (): Promise<void> => {
      try {
        await this.#reviving?.();
        this.abandon();
      } catch (thrown) {
        await this.#suspend(SttError.from(thrown));
      }
    };
    this.#waiting = setTimeout(() => void revive(), waitMs).unref();
  }

  async #revive(): Promise<void> {
    const store = this.#store;
    const stored = await store?.load();
    if (!store || !stored) throw new SttError('NOT_FOUND', 'No such session, or it has ended');
    await this.takeUp(store, stored);
    this.#reviving = undefined;
  }
}
