import { type ErrorCode, SttError } from '../../core/errors.ts';
import { tagsOf } from '../languages.ts';
import {
  type ClientMessage,
  MessageReader,
  type ResumeMessage,
  type StartMessage,
} from './client-messages.ts';
import { CLOSE_CODES, closeCodeOf } from './close-codes.ts';
import {
  type ConnectionParts,
  callerOf,
  type SessionLink,
  type SocketSpeaker,
  type Wire,
} from './connection-parts.ts';
import { FlowControl } from './flow-control.ts';
import type { SessionListener } from './live-host-ports.ts';
import { describeSession, otherRate, type ServerMessage, secondsOf } from './server-messages.ts';
import { endingDue } from './session-clock.ts';
import type { OpenSession, SessionOutcome } from './session-contracts.ts';
import { WorkInOrder } from './work-in-order.ts';

const TICK_MS = 1000;
const WARN_SEC = 60;

/** One socket: a session's beginning or its continuation, its audio, what is heard of it. */
export class Connection implements SessionListener, SocketSpeaker, SessionLink {
  readonly #wire: Wire<ServerMessage>;
  readonly #parts: ConnectionParts;
  readonly #timer: NodeJS.Timeout;
  readonly #flow: FlowControl;
  readonly #reader: MessageReader;
  readonly #gone = new AbortController();
  #session: OpenSession | null = null;
  #isClosed = false;
  #isPaused = false;
  #isEnding = false;
  #hasWarned = false;
  /** The client knows how the session ended, once it has closed the socket too. */
  #isTold = false;
  #lastHeardAtMs = performance.now();
  readonly #work: WorkInOrder;

  constructor(wire: Wire<ServerMessage>, parts: ConnectionParts) {
    this.#wire = wire;
    this.#parts = parts;
    this.#flow = new FlowControl(wire, parts.limits);
    this.#reader = new MessageReader(parts.caller !== undefined);
    this.#work = new WorkInOrder({
      isOver: () => this.#isClosed,
      onTurn: (waiting) => this.#flow.onWaiting(waiting),
      onError: (thrown) => this.#report(SttError.from(thrown)),
    });
    this.#timer = setInterval(() => this.#tick(), TICK_MS).unref();
  }

  receiveText(text: string): void {
    this.#inOrder(() => this.#handle(this.#reader.read(text)));
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

  /** The socket is gone; the session waits for its client, unless it has heard the end. */
  closed(code?: number): void {
    this.#leave();
    if (this.#session && this.#isTold && code === CLOSE_CODES.ended) {
      this.#parts.sessions.release(this.#session.host);
    }
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

  onDelayed(cause: ErrorCode): void {
    this.#send({ type: 'warning', code: 'CAPTIONS_DELAYED', cause });
  }

  #inOrder(work: () => Promise<void> | void): void {
    this.#flow.onMessage(this.#work.waiting + 1);
    this.#work.add(work);
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
        return await this.#resumeSession(message);
      case 'ping':
        return this.#send({ type: 'pong' });
      case 'audio_chunk':
        return this.#hear(message.audio_data, message.seq);
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

  get #isOver(): boolean {
    return this.#isEnding || (this.#session?.host.ending ?? null) !== null;
  }

  #open(): OpenSession {
    if (this.#session && !this.#isOver) return this.#session;
    throw new SttError('INPUT_INVALID', 'type: expected start_session or resume_session first');
  }

  #assertNoSession(): void {
    if (this.#session) throw new SttError('INPUT_INVALID', 'type: a session is under way');
  }

  async #start(message: StartMessage): Promise<void> {
    this.#assertNoSession();
    const { tenant_id, encoding, sample_rate: sampleRateHz, keep_audio, token } = message;
    const caller = callerOf(this.#parts, token);
    if (caller.tenant !== null && tenant_id !== null && tenant_id !== caller.tenant) {
      throw new SttError('TENANT_FORBIDDEN', 'tenant_id does not belong to this key');
    }
    const { sessions, manner } = this.#parts;
    const consenting = keep_audio === false ? { ...caller, keepsAudio: false } : caller;
    const started = await sessions.start(consenting, {
      ...{ sessionId: message.session_id, meetingId: message.meeting_id, ...tagsOf(message) },
      format: { encoding, sampleRateHz },
      chineseScript: message.chinese_script ?? null,
      ...{ webhookUrl: message.webhook_url ?? null, diarize: message.diarize ?? false },
      ...manner,
    });
    // The client may have gone meanwhile; nobody else would let go of the session.
    if (this.#isClosed) return sessions.abandon(started.host);
    this.#adopt(started);
    const described = describeSession(started.host, this.#parts.limits);
    this.#send({ type: 'session_started', ...described, resume_token: started.resumeToken });
    started.host.listen(this);
  }

  async #resumeSession(message: ResumeMessage): Promise<void> {
    const { session_id, resume_token, last_event_seq, token } = message;
    this.#assertNoSession();
    const caller = callerOf(this.#parts, token);
    const session = await this.#parts.sessions.resume(caller, session_id, resume_token);
    if (this.#isClosed) return this.#parts.sessions.abandon(session.host);
    this.#adopt(session);
    this.#send({
      ...{ type: 'session_resumed', ...describeSession(session.host, this.#parts.limits) },
      last_seq: session.intake.receivedSeq,
    });
    session.host.listen(this, last_event_seq);
  }

  #adopt(session: OpenSession): void {
    this.#session = session;
    session.intake.onOtherRate = (rateHz) => this.#send(otherRate(rateHz));
    this.#lastHeardAtMs = performance.now();
    session.outcome.then(
      (outcome) => void this.#finish(session, outcome),
      (thrown: unknown) => {
        const failure = SttError.from(thrown);
        this.#send({ type: 'error', ...failure.toJSON(), fatal: true });
        this.#close(closeCodeOf(failure.code), failure.code);
      },
    );
  }

  #hear(bytes: Buffer, seq: number | undefined): void {
    if (this.#session?.host.ending && !this.#isEnding) return; // Its client is being told why.
    const { intake } = this.#open();
    if (this.#isPaused) throw new SttError('INPUT_INVALID', 'audio: the session is paused');
    this.#lastHeardAtMs = performance.now();
    const taken = intake.accept(bytes, seq);
    if (taken.kind === 'missing') {
      throw new SttError('INPUT_INVALID', `seq: expected ${taken.expectedSeq}, a piece is missing`);
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
    if (this.#isOver) return;
    const { intake, host } = this.#open();
    this.#isEnding = true;
    await intake.flush();
    host.end(reason);
  }

  /** The client may leave at any time: the job of the refined transcript does not wait for it. */
  async #finish({ host }: OpenSession, { reason, error, jobId }: SessionOutcome): Promise<void> {
    if (error) this.#send({ type: 'error', ...error.toJSON(), fatal: true });
    const ending = { reason, refined: jobId !== null, job_id: jobId };
    const audio_duration = secondsOf(host.sampleCount);
    this.#send({ type: 'session_ended', audio_duration, ...ending });
    this.#isTold = true;
    if (jobId !== null) {
      const { sessions, limits } = this.#parts;
      const patience = { signal: this.#gone.signal, maxWaitSec: limits.refinedSec };
      const refined = await sessions.refined(host.identity, jobId, patience);
      if (refined) this.#send({ type: 'transcript_refined', job_id: jobId, ...refined });
    }
    if (error) this.#close(closeCodeOf(error.code), error.code);
    else this.#close(CLOSE_CODES.ended, 'ended');
  }

  /** Reads no more while text is too far behind the audio, or audio comes too fast. */
  #balance(): void {
    if (!this.#session || this.#isClosed) return;
    const { sampleCount, lagSamples } = this.#session.host;
    this.#flow.onAudio(sampleCount, lagSamples);
  }

  #tick(): void {
    const { limits } = this.#parts;
    if (this.#flow.isHeld && this.#session) this.keepAlive(); // It is the client that waits.
    const idleSec = (performance.now() - this.#lastHeardAtMs) / 1000;
    if (!this.#session) {
      if (idleSec < limits.startSec) return;
      this.#report(new SttError('REQUEST_TIMEOUT', 'No session was started in time'));
      return;
    }
    if (this.#isOver) return;
    const state = { sampleCount: this.#session.host.sampleCount, isPaused: this.#isPaused };
    const { reason, leftSec } = endingDue({ ...state, idleSec }, limits);
    if (leftSec < WARN_SEC && !this.#hasWarned) {
      this.#hasWarned = true;
      this.#send({ type: 'warning', code: 'SESSION_EXPIRING', seconds_left: Math.ceil(leftSec) });
    }
    if (reason !== null) this.#inOrder(() => this.#end(reason));
  }

  #send(message: ServerMessage): void {
    if (!this.#isClosed) this.#wire.send(message);
  }

  #close(code: number, reason: string): void {
    if (this.#isClosed) return;
    this.#wire.close(code, reason);
    this.#leave();
  }

  #leave(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#gone.abort();
    clearInterval(this.#timer);
    this.#flow.stop();
    if (!this.#session) return;
    this.#session.host.leave(this);
    this.#parts.sessions.abandon(this.#session.host);
  }
}
