import { samplesToSec, secToSamples } from '../../audio/time.ts';
import { SttError } from '../../core/errors.ts';
import { rounded } from '../wire-segment.ts';
import {
  type ClientMessage,
  parseClientMessage,
  type ResumeMessage,
  type StartMessage,
} from './client-messages.ts';
import { CLOSE_CODES, closeCodeOf } from './close-codes.ts';
import type { ConnectionParts, SessionLink, SocketSpeaker, Wire } from './connection-parts.ts';
import type { RealtimeCaller } from './contracts.ts';
import type { SessionListener } from './live-host.ts';
import type { OpenSession } from './live-sessions.ts';
import type { ServerMessage } from './server-messages.ts';

const TICK_MS = 1000;
const WARN_SEC = 60;

/** One socket: a session's beginning or its continuation, its audio, what is heard of it. */
export class Connection implements SessionListener, SocketSpeaker, SessionLink {
  readonly #wire: Wire<ServerMessage>;
  readonly #parts: ConnectionParts;
  readonly #timer: NodeJS.Timeout;
  #session: OpenSession | null = null;
  #isClosed = false;
  #isPaused = false;
  #isEnding = false;
  #isHeldBack = false;
  #hasWarned = false;
  #reason = 'abandoned';
  #lastHeardAtMs = performance.now();
  /** Messages are worked off in order, though some take time. */
  #queue: Promise<void> = Promise.resolve();

  constructor(wire: Wire<ServerMessage>, parts: ConnectionParts) {
    this.#wire = wire;
    this.#parts = parts;
    this.#timer = setInterval(() => this.#tick(), TICK_MS).unref();
  }

  receiveText(text: string): void {
    this.#inOrder(() => this.#handle(parseClientMessage(text)));
  }

  receive(message: ClientMessage): void {
    this.#inOrder(() => this.#handle(message));
  }

  keepAlive(): void {
    this.#lastHeardAtMs = performance.now();
  }

  receiveAudio(bytes: Buffer): void {
    this.#inOrder(() => this.#hear(bytes, undefined));
  }

  /** The socket is gone; the session waits for its client. */
  closed(): void {
    this.#isClosed = true;
    clearInterval(this.#timer);
    if (!this.#session) return;
    this.#session.host.leave(this);
    this.#parts.sessions.abandon(this.#session.host);
  }

  /** The process stops: the client may come back to the next one. */
  restart(): void {
    this.#close(CLOSE_CODES.restart, 'restart');
  }

  onReplaced(): void {
    this.#close(CLOSE_CODES.replaced, 'replaced');
  }

  onEvent(event: ServerMessage): void {
    this.#send(event);
  }

  onAcknowledged(chunkSeq: number, sampleCount: number): void {
    this.#send({ type: 'audio_ack', seq: chunkSeq, audio_duration: secondsOf(sampleCount) });
    this.#balance();
  }

  #inOrder(work: () => Promise<void> | void): void {
    this.#queue = this.#queue.then(async () => {
      if (this.#isClosed) return;
      try {
        await work();
      } catch (thrown) {
        this.#report(SttError.from(thrown));
      }
    });
  }

  /** A session survives a bad message; without one, the socket is closed. */
  #report(error: SttError): void {
    if (error.code === 'INTERNAL') this.#parts.logger.error({ err: error }, 'live message failed');
    this.#send({ type: 'error', ...error.toJSON(), fatal: this.#session === null });
    if (this.#session === null) this.#close(closeCodeOf(error.code), error.code);
  }

  async #handle(message: ClientMessage): Promise<void> {
    switch (message.type) {
      case 'start_session':
        return await this.#start(message);
      case 'resume_session':
        return this.#resumeSession(message);
      case 'ping':
        return this.#send({ type: 'pong' });
      case 'audio_chunk':
        return this.#hear(Buffer.from(message.audio_data, 'base64'), message.seq);
      case 'pause':
        return this.#pause();
      case 'resume':
        this.#open();
        this.#isPaused = false;
        return this.#send({ type: 'session_continued' });
      case 'finalize':
        this.#open();
        return this.#finalize();
      case 'end_session':
        return await this.#end('client');
    }
  }

  #open(): OpenSession {
    if (this.#session && !this.#isEnding) return this.#session;
    throw new SttError('INPUT_INVALID', 'type: expected start_session or resume_session first');
  }

  #callerOf(credential: string | undefined): RealtimeCaller {
    const caller = this.#parts.caller ?? this.#parts.identify(credential);
    if (caller) return caller;
    throw new SttError('UNAUTHENTICATED', 'An API key is required: in the header, or as token');
  }

  #assertNoSession(): void {
    if (this.#session) throw new SttError('INPUT_INVALID', 'type: a session is under way');
  }

  async #start(message: StartMessage): Promise<void> {
    this.#assertNoSession();
    const caller = this.#callerOf(message.token);
    const { tenant_id, session_id, meeting_id, language, encoding, sample_rate } = message;
    if (caller.tenant !== null && tenant_id !== null && tenant_id !== caller.tenant) {
      throw new SttError('TENANT_FORBIDDEN', 'tenant_id does not belong to this key');
    }
    const format = { encoding, sampleRateHz: sample_rate };
    const ids = { sessionId: session_id, meetingId: meeting_id };
    const { sessions, manner } = this.#parts;
    const started = await sessions.start(caller, { ...ids, language, format, ...manner });
    // The client may have gone meanwhile; nobody else would let go of the session.
    if (this.#isClosed) return sessions.abandon(started.host);
    this.#adopt(started);
    this.#send({ type: 'session_started', ...this.#describe(), resume_token: started.resumeToken });
    started.host.listen(this);
  }

  #resumeSession({ session_id, resume_token, last_event_seq, token }: ResumeMessage): void {
    this.#assertNoSession();
    const caller = this.#callerOf(token);
    const session = this.#parts.sessions.resume(caller, session_id, resume_token);
    this.#adopt(session);
    this.#send({
      ...{ type: 'session_resumed', ...this.#describe() },
      last_seq: session.intake.receivedSeq,
    });
    session.host.listen(this, last_event_seq);
  }

  #describe() {
    const { identity, epoch } = this.#session!.host;
    const { startSec, ...limits } = this.#parts.limits;
    return {
      session_id: identity.sessionId,
      meeting_id: identity.meetingId,
      language: identity.language,
      epoch,
      limits: {
        idle_sec: limits.idleSec,
        max_session_sec: limits.maxSessionSec,
        max_lag_sec: limits.maxLagSec,
      },
    };
  }

  #adopt(session: OpenSession): void {
    this.#session = session;
    this.#lastHeardAtMs = performance.now();
    session.host.ended.then(
      () => void this.#finish(session),
      (error: unknown) => {
        const failure = SttError.from(error);
        this.#send({ type: 'error', ...failure.toJSON(), fatal: true });
        this.#close(closeCodeOf(failure.code), failure.code);
      },
    );
  }

  #hear(bytes: Buffer, seq: number | undefined): void {
    const { intake } = this.#open();
    if (this.#isPaused) throw new SttError('INPUT_INVALID', 'audio: the session is paused');
    if (bytes.length === 0) return;
    this.#lastHeardAtMs = performance.now();
    const reception = intake.accept(bytes, seq);
    if (reception.kind === 'missing') {
      const expected = reception.expectedSeq;
      throw new SttError('INPUT_INVALID', `seq: expected ${expected}, a piece is missing`);
    }
    this.#balance();
  }

  #pause(): void {
    this.#open();
    this.#isPaused = true;
    this.#finalize();
    this.#send({ type: 'session_paused' });
  }

  #finalize(): void {
    void this.#session!.host.finalize().then(() => this.#send({ type: 'finalized' }));
  }

  async #end(reason: string): Promise<void> {
    const { intake, host } = this.#open();
    this.#isEnding = true;
    this.#reason = reason;
    await intake.flush();
    host.end();
  }

  async #finish({ host, refined }: OpenSession): Promise<void> {
    const audio_duration = secondsOf(host.sampleCount);
    const awaitsRefined = host.identity.keepsAudio;
    const reason = this.#reason;
    this.#send({ type: 'session_ended', reason, audio_duration, refined: awaitsRefined });
    if (awaitsRefined) {
      const result = await refined;
      this.#send({ type: 'transcript_refined', result });
    }
    this.#close(CLOSE_CODES.ended, 'ended');
  }

  /** Reads no more while text is too far behind the audio. */
  #balance(): void {
    if (!this.#session || this.#isClosed) return;
    const isBehind = this.#session.host.lagSamples > secToSamples(this.#parts.limits.maxLagSec);
    if (isBehind === this.#isHeldBack) return;
    this.#isHeldBack = isBehind;
    if (isBehind) this.#wire.pause();
    else this.#wire.resume();
  }

  #tick(): void {
    const { limits } = this.#parts;
    const idleSec = (performance.now() - this.#lastHeardAtMs) / 1000;
    if (!this.#session) {
      if (idleSec < limits.startSec) return;
      this.#report(new SttError('REQUEST_TIMEOUT', 'No session was started in time'));
      return;
    }
    if (this.#isEnding) return;
    const leftSec = limits.maxSessionSec - samplesToSec(this.#session.host.sampleCount);
    if (leftSec <= 0) this.#inOrder(() => this.#end('max_duration'));
    else if (leftSec < WARN_SEC && !this.#hasWarned) {
      this.#hasWarned = true;
      this.#send({ type: 'warning', code: 'SESSION_EXPIRING', seconds_left: Math.ceil(leftSec) });
    }
    if (idleSec > limits.idleSec && !this.#isPaused && !this.#isHeldBack) {
      this.#inOrder(() => this.#end('idle'));
    }
  }

  #send(message: ServerMessage): void {
    if (!this.#isClosed) this.#wire.send(message);
  }

  #close(code: number, reason: string): void {
    if (this.#isClosed) return;
    this.#wire.close(code, reason);
    this.closed();
  }
}

const secondsOf = (samples: number): number => rounded(samplesToSec(samples), 3);
