import { SttError } from '../../core/errors.ts';
import type { VoiceActivityModel } from '../../pipeline/contracts.ts';
import { stepLiveSession } from '../../pipeline/realtime/live-session.ts';
import {
  DEFAULT_LIVE_OPTIONS,
  type LiveEvent,
  type LiveInput,
  type LiveOptions,
  type LiveState,
  type WindowRequest,
} from '../../pipeline/realtime/session-state.ts';
import type { WindowRecognizer } from './contracts.ts';
import { type LiveWireEvent, toWireEvent } from './live-events.ts';
import { neededFrom } from './needed-audio.ts';
import type { SessionAudio } from './session-audio.ts';
import { grouped, type SessionInput } from './session-input.ts';
import type {
  NumberedEvent,
  SessionCheckpoint,
  SessionIdentity,
  SessionStore,
} from './session-store.ts';
import { VoiceFrames } from './voice-frames.ts';
import { DEFAULT_WINDOW_TIMING, WindowCaller, type WindowTiming } from './window-caller.ts';

export interface LiveHostPorts {
  readonly recognizer: WindowRecognizer;
  readonly voiceActivity: VoiceActivityModel;
  readonly audio: SessionAudio;
  readonly store: SessionStore;
  readonly live?: LiveOptions | undefined;
  readonly timing?: WindowTiming | undefined;
}

/** Whoever listens to a session; hears everything in order. */
export interface SessionListener {
  onEvent(event: LiveWireEvent | NumberedEvent): void;
  /** The audio up to this piece is safe and need not be sent again. */
  onAcknowledged(chunkSeq: number, sampleCount: number): void;
  /** Somebody else listens from now on. */
  onReplaced(): void;
}

/**
 * One live session: its state, its audio, its windows. Inputs are worked off one after the other; a
 * checkpoint is written before anyone hears of their effects, so that nothing said is forgotten and
 * nothing is said twice, even by a process that takes over.
 */
export class LiveHost {
  readonly identity: SessionIdentity;
  /** Settles when all that was said is final; rejects when the session cannot go on. */
  readonly ended: Promise<void>;
  readonly #ports: LiveHostPorts;
  readonly #frames: VoiceFrames;
  readonly #caller: WindowCaller;
  readonly #closed = new AbortController();
  readonly #events: NumberedEvent[];
  readonly #epoch: number;
  #live: LiveState;
  #chunkSeq: number;
  #heardSeq: number;
  #inbox: SessionInput[] = [];
  #finalizing: (() => void)[] = [];
  #waitingSamples = 0;
  #isPumping = false;
  #listener: SessionListener | null = null;
  #onEnded: () => void = () => {};
  #onFailed: (error: SttError) => void = () => {};

  constructor(
    checkpoint: SessionCheckpoint,
    events: readonly NumberedEvent[],
    ports: LiveHostPorts,
  ) {
    this.identity = checkpoint.identity;
    this.#ports = ports;
    this.#events = [...events];
    this.#epoch = checkpoint.epoch;
    this.#live = checkpoint.live;
    this.#chunkSeq = checkpoint.chunkSeq;
    this.#heardSeq = checkpoint.chunkSeq;
    this.#frames = new VoiceFrames(ports.voiceActivity);
    this.#caller = new WindowCaller(ports.recognizer, ports.timing ?? DEFAULT_WINDOW_TIMING);
    this.ended = new Promise((resolve, reject) => {
      this.#onEnded = resolve;
      this.#onFailed = reject;
    });
    this.ended.catch(() => undefined); // Whoever waits for it hears of it.
  }

  /** Takes up a session that another process has left: what it had asked for is asked again. */
  async recover(): Promise<void> {
    const { signal } = this.#closed;
    const { inFlight, endpoint, isEnded } = this.#live;
    if (isEnded) return this.#onEnded();
    await this.#frames.warmUp(this.#ports.audio, endpoint.heard, signal);
    const unheard = { start: endpoint.heard, end: this.#ports.audio.sampleCount };
    const probabilities = await this.#frames.push(await this.#ports.audio.read(unheard), signal);
    this.#take({ type: 'audio', probabilities, frameSamples: this.#frames.frameSamples });
    if (inFlight) this.#take({ type: 'failed', seq: inFlight.seq });
  }

  /** Last piece of audio that is safe. */
  get chunkSeq(): number {
    return this.#chunkSeq;
  }

  /** Last piece of audio that came. */
  get heardSeq(): number {
    return this.#heardSeq;
  }

  get epoch(): number {
    return this.#epoch;
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
  listen(listener: SessionListener, lastEventSeq = this.#events.length): void {
    const previous = this.#listener;
    this.#listener = listener;
    previous?.onReplaced();
    for (const event of this.#events.slice(lastEventSeq)) listener.onEvent(event);
  }

  /** Only who listens can leave. */
  leave(listener: SessionListener): void {
    if (this.#listener === listener) this.#listener = null;
  }

  /** Takes more audio; `chunkSeq` is the last of the client's pieces that is in it. */
  hear(waveform: Float32Array, chunkSeq: number): void {
    this.#heardSeq = chunkSeq;
    this.#waitingSamples += waveform.length;
    this.#put({ kind: 'audio', waveform, chunkSeq });
  }

  /** All that was said before becomes final; settles when it is. */
  finalize(): Promise<void> {
    return new Promise((settle) =>
      this.#put({ kind: 'step', input: { type: 'finalize' }, settle }),
    );
  }

  end(): void {
    this.#put({ kind: 'step', input: { type: 'end' } });
  }

  /** Stops all work; what is stored stays. */
  close(): void {
    this.#closed.abort(new SttError('JOB_CANCELLED', 'The session was closed'));
    this.#inbox = [];
  }

  #put(input: SessionInput): void {
    if (this.#closed.signal.aborted) return;
    this.#inbox.push(input);
    if (!this.#isPumping) void this.#pump();
  }

  async #pump(): Promise<void> {
    this.#isPumping = true;
    try {
      while (this.#inbox.length > 0) await this.#work(this.#inbox.splice(0));
    } catch (thrown) {
      this.fail(thrown);
    } finally {
      this.#isPumping = false;
    }
  }

  /** Everything that has come while the last inputs were worked off, with one checkpoint. */
  async #work(inputs: readonly SessionInput[]): Promise<void> {
    const { signal } = this.#closed;
    const steps: Step[] = [];
    for (const group of grouped(inputs)) {
      if (group.kind === 'step') {
        if (group.input.type === 'end') steps.push(await this.#flush());
        steps.push(this.#step(group.input));
        if (group.settle) this.#finalizing.push(group.settle);
        continue;
      }
      await this.#ports.audio.append(group.waveform);
      this.#waitingSamples -= group.waveform.length;
      this.#chunkSeq = group.chunkSeq;
      const probabilities = await this.#frames.push(group.waveform, signal);
      steps.push(this.#hearFrames(probabilities));
    }
    signal.throwIfAborted();
    await this.#publish(steps);
  }

  #flush = async (): Promise<Step> =>
    this.#hearFrames(await this.#frames.flush(this.#closed.signal));

  #hearFrames(probabilities: readonly number[]): Step {
    const { frameSamples } = this.#frames;
    return this.#step({ type: 'audio', probabilities, frameSamples });
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
    const told = steps.flatMap(({ events }) => events);
    const heard: (LiveWireEvent | NumberedEvent)[] = [];
    const lasting: NumberedEvent[] = [];
    for (const event of told) {
      const wire = toWireEvent(event);
      if (wire === null) continue;
      const isLasting = event.type !== 'partial';
      const event_seq = this.#events.length + lasting.length + 1;
      if (isLasting) lasting.push({ ...wire, event_seq });
      heard.push(isLasting ? { ...wire, event_seq } : wire);
    }
    const eventSeq = this.#events.length + lasting.length;
    await this.#ports.store.save(this.#checkpoint(eventSeq), lasting);
    this.#events.push(...lasting);
    for (const event of heard) this.#listener?.onEvent(event);
    this.#listener?.onAcknowledged(this.#chunkSeq, this.#ports.audio.sampleCount);
    if (steps.length > 0 && this.#live.utterances.every(({ end }) => end === null)) {
      for (const settle of this.#finalizing.splice(0)) settle();
    }
    for (const { request } of steps) if (request) void this.#recognize(request);
    if (!this.identity.keepsAudio) {
      await this.#ports.audio.forgetBefore(neededFrom(this.#live, this.#options));
    }
    if (told.some(({ type }) => type === 'ended')) this.#onEnded();
  }

  #checkpoint(eventSeq: number): SessionCheckpoint {
    return {
      version: 1,
      identity: this.identity,
      epoch: this.#epoch,
      live: this.#live,
      chunkSeq: this.#chunkSeq,
      sampleCount: this.#ports.audio.sampleCount,
      eventSeq,
    };
  }

  async #recognize(request: WindowRequest): Promise<void> {
    try {
      const { sessionId, tenant, key } = this.identity;
      const waveform = await this.#ports.audio.read(request);
      const name = `${sessionId.slice(0, 64)}:${key}`;
      const window = { ...request, sessionId: name, tenant, epoch: this.#epoch, waveform };
      this.#take(await this.#caller.call(window, this.#closed.signal));
    } catch (thrown) {
      this.fail(thrown);
    }
  }

  #take(input: LiveInput): void {
    this.#put({ kind: 'step', input });
  }

  /** The session cannot go on. */
  readonly fail = (thrown: unknown): void => {
    if (this.#closed.signal.aborted) return;
    this.#onFailed(SttError.from(thrown));
    this.close();
  };
}

interface Step {
  readonly events: readonly LiveEvent[];
  readonly request: WindowRequest | null;
}
