import { type ErrorCode, SttError } from '../../core/errors.ts';
import { type LiveStep, stepLiveSession } from '../../pipeline/realtime/live-session.ts';
import {
  DEFAULT_LIVE_OPTIONS,
  type LiveInput,
  type LiveOptions,
  type LiveState,
  type WindowRequest,
} from '../../pipeline/realtime/session-state.ts';
import { CountedAudio } from './counted-audio.ts';
import { Persistence } from './delays.ts';
import { EventLog } from './event-log.ts';
import type { LiveHostPorts, SessionListener } from './live-host-ports.ts';
import { heardAgainFrom, neededFrom } from './needed-audio.ts';
import { SessionEars } from './session-ears.ts';
import { grouped, type SessionInput } from './session-input.ts';
import { SessionMeter } from './session-meter.ts';
import type {
  NumberedEvent,
  SessionCheckpoint,
  SessionEnding,
  SessionIdentity,
} from './session-store.ts';
import { SessionWindows } from './session-windows.ts';
import { DEFAULT_WINDOW_TIMING } from './window-caller.ts';

/**
 * One live session. Inputs are worked off one after the other; a checkpoint is written before anyone
 * hears of their effects: nothing said is forgotten or said twice, even by a process that takes over.
 */
export class LiveHost {
  readonly identity: SessionIdentity;
  readonly epoch: number;
  /** Settles when all that was said is final; rejects when the session cannot go on here. */
  readonly ended: Promise<void>;
  readonly #ports: LiveHostPorts;
  readonly #ears: SessionEars;
  readonly #windows: SessionWindows;
  readonly #counted: CountedAudio;
  readonly #closed = new AbortController();
  readonly #log: EventLog;
  readonly #persistence: Persistence;
  readonly #meter: SessionMeter;
  #live: LiveState;
  #chunkSeq: number;
  #heardSeq: number;
  #ending: SessionEnding | null;
  #inbox: SessionInput[] = [];
  #finalizing: (() => void)[] = [];
  #waitingSamples = 0;
  #isPumping = false;
  #pumped: Promise<void> = Promise.resolve();
  #listener: SessionListener | null = null;
  #onEnded: () => void = () => {};
  #onFailed: (error: SttError) => void = () => {};

  constructor(
    checkpoint: SessionCheckpoint,
    events: readonly NumberedEvent[],
    ports: LiveHostPorts,
  ) {
    this.identity = checkpoint.identity;
    this.epoch = checkpoint.epoch;
    this.#ports = ports;
    this.#log = new EventLog(events);
    this.#live = checkpoint.live;
    this.#chunkSeq = checkpoint.chunkSeq;
    this.#heardSeq = checkpoint.chunkSeq;
    this.#ending = checkpoint.ending;
    const { tenant } = checkpoint.identity;
    this.#counted = new CountedAudio(ports.usage, tenant, checkpoint.countedSamples);
    this.#meter = new SessionMeter(ports.meter);
    const onLate = (code: ErrorCode): void => this.#listener?.onDelayed(code);
    const patience = { ...(ports.timing ?? DEFAULT_WINDOW_TIMING), signal: this.#closed.signal };
    this.#persistence = new Persistence(onLate, patience);
    this.#windows = new SessionWindows(checkpoint, ports, { onLate, disk: this.#persistence });
    this.#ears = new SessionEars(ports, this.#persistence.run);
    this.ended = new Promise((resolve, reject) => {
      this.#onEnded = resolve;
      this.#onFailed = reject;
    });
    this.ended.catch(() => undefined); // Whoever waits for it hears of it.
  }

  /** Takes up a session that another process has left: what it had asked for is asked again. */
  recover(): void {
    if (this.#live.isEnded) this.#onEnded();
    else this.#put({ kind: 'recover' });
  }

  /** Last piece of audio that is safe. */
  get chunkSeq(): number {
    return this.#chunkSeq;
  }

  /** Last piece of audio that came. */
  get heardSeq(): number {
    return this.#heardSeq;
  }

  /** Why it ends, once it does; no more audio is taken then. */
  get ending(): SessionEnding | null {
    return this.#ending;
  }

  get sampleCount(): number {
    return this.#ports.audio.sampleCount + this.#waitingSamples;
  }

  /** Samples whose text is not final yet; grows when audio comes faster than it is recognised. */
  get lagSamples(): number {
    return this.sampleCount - neededFrom(this.#live, this.#options);
  }

  get isListenedTo(): boolean {
    return this.#listener !== null;
  }

  /** From now on this listener hears everything, beginning with the events behind `lastEventSeq`. */
  listen(listener: SessionListener, lastEventSeq = this.#log.lastSeq): void {
    const previous = this.#listener;
    this.#listener = listener;
    previous?.onReplaced();
    for (const event of this.#log.behind(lastEventSeq)) listener.onEvent(event);
    const late = this.#windows.late ?? this.#persistence.late;
    if (late !== null) listener.onDelayed(late);
  }

  /** Only who listens can leave. */
  leave(listener: SessionListener): void {
    if (this.#listener === listener) this.#listener = null;
  }

  /** Takes more audio; `chunkSeq` is the last of the client's pieces that is in it. */
  hear(waveform: Float32Array, chunkSeq: number): void {
    this.#heardSeq = chunkSeq;
    this.#waitingSamples += waveform.length;
    this.#meter.heard(this.sampleCount);
    this.#put({ kind: 'audio', waveform, chunkSeq });
  }

  /** All that was said before becomes final; settles when it is. */
  finalize(): Promise<void> {
    return new Promise((settle) =>
      this.#put({ kind: 'step', input: { type: 'finalize' }, settle }),
    );
  }

  /** All that was said becomes final, then it has ended; the first reason is the one that is told. */
  end(reason: string, error?: SttError): void {
    this.#ending ??= { reason, error: error?.toJSON() ?? null };
    this.#take({ type: 'end' });
  }

  /** Stops all work, and settles when nothing is written any more; what is stored stays. */
  async close(): Promise<void> {
    this.#closed.abort(new SttError('JOB_CANCELLED', 'The session was closed'));
    this.#inbox = [];
    await this.#pumped;
  }

  #put(input: SessionInput): void {
    if (this.#closed.signal.aborted) return;
    this.#inbox.push(input);
    if (!this.#isPumping) this.#pumped = this.#pump();
  }

  #take(input: LiveInput): void {
    this.#put({ kind: 'step', input });
  }

  async #pump(): Promise<void> {
    this.#isPumping = true;
    try {
      while (this.#inbox.length > 0) await this.#work(this.#inbox.splice(0));
    } catch (thrown) {
      this.#fail(thrown);
    } finally {
      this.#isPumping = false;
    }
  }

  /** Everything that has come while the last inputs were worked off, with one checkpoint. */
  async #work(inputs: readonly SessionInput[]): Promise<void> {
    const steps: Step[] = [];
    for (const input of grouped(inputs)) steps.push(...(await this.#stepsOf(input)));
    this.#closed.signal.throwIfAborted();
    await this.#publish(steps);
  }

  async #stepsOf(input: SessionInput): Promise<Step[]> {
    const { signal } = this.#closed;
    const { heard } = this.#live.endpoint;
    switch (input.kind) {
      case 'audio':
        await this.#append(input.waveform);
        this.#chunkSeq = input.chunkSeq;
        return [this.#hearFrames(await this.#ears.hear(input.waveform, heard, signal))];
      case 'recover':
        return this.#recoveringSteps(await this.#ears.hearAgain(heard, signal));
      case 'step': {
        const isEnd = input.input.type === 'end';
        const before = isEnd ? [this.#hearFrames(await this.#ears.flush(heard, signal))] : [];
        if (input.settle) this.#finalizing.push(input.settle);
        return [...before, this.#step(input.input)];
      }
    }
  }

  #recoveringSteps(probabilities: readonly number[]): Step[] {
    const { inFlight } = this.#live;
    const steps = [this.#hearFrames(probabilities)];
    if (inFlight) steps.push(this.#step({ type: 'failed', seq: inFlight.seq }));
    if (this.#ending !== null) this.#take({ type: 'end' });
    return steps;
  }

  /** A failure in the middle is gone on with where it was. */
  async #append(waveform: Float32Array): Promise<void> {
    const { audio } = this.#ports;
    const start = audio.sampleCount;
    await this.#persistence.run(async () => {
      const before = audio.sampleCount;
      try {
        await audio.append(waveform.subarray(before - start));
      } finally {
        this.#waitingSamples -= audio.sampleCount - before;
      }
    });
  }

  #hearFrames(probabilities: readonly number[]): Step {
    return this.#step({ type: 'audio', probabilities, frameSamples: this.#ears.frameSamples });
  }

  #step(input: LiveInput): Step {
    const { state, events, request } = stepLiveSession(this.#live, input, this.#options);
    this.#live = state;
    return { events, request };
  }

  get #options(): LiveOptions {
    return this.#ports.live ?? DEFAULT_LIVE_OPTIONS;
  }

  async #publish(steps: readonly Step[]): Promise<void> {
    const { audio, store } = this.#ports;
    const told = steps.flatMap(({ events }) => events);
    const telling = this.#log.prepare(told);
    const countedSamples = this.#counted.at(audio.sampleCount, this.#live.isEnded);
    const checkpoint = this.#checkpoint(telling.lasting.length, countedSamples);
    await this.#persistence.run(() => store.save(checkpoint, telling.lasting));
    this.#log.keep(telling);
    this.#meter.told(told);
    for (const event of telling.heard) this.#listener?.onEvent(event);
    this.#listener?.onAcknowledged(this.#chunkSeq, audio.sampleCount);
    if (steps.length > 0 && this.#live.utterances.every(({ end }) => end === null)) {
      for (const settle of this.#finalizing.splice(0)) settle();
    }
    for (const { request } of steps) if (request) void this.#recognize(request);
    if (!this.identity.keepsAudio) {
      await audio.forgetBefore(heardAgainFrom(this.#live, this.#options)).catch(() => undefined);
    }
    const forbidden = this.#counted.count(countedSamples);
    if (forbidden !== null && this.#ending === null) this.end('quota', forbidden);
    if (told.some(({ type }) => type === 'ended')) this.#onEnded();
  }

  #checkpoint(newEvents: number, countedSamples: number): SessionCheckpoint {
    return {
      version: 2,
      identity: this.identity,
      epoch: this.epoch,
      live: this.#live,
      chunkSeq: this.#chunkSeq,
      sampleCount: this.#ports.audio.sampleCount,
      eventSeq: this.#log.lastSeq + newEvents,
      countedSamples,
      ending: this.#ending,
    };
  }

  async #recognize(request: WindowRequest): Promise<void> {
    try {
      this.#take(await this.#windows.ask(request, this.#closed.signal));
    } catch (thrown) {
      this.#fail(thrown);
    }
  }

  #fail(thrown: unknown): void {
    if (this.#closed.signal.aborted) return;
    this.#onFailed(SttError.from(thrown));
    void this.close();
  }
}

type Step = Pick<LiveStep, 'events' | 'request'>;
