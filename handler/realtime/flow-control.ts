import { SAMPLE_RATE_HZ, secToSamples } from '../../audio/time.ts';
import type { ConnectionLimits, Wire } from './connection-parts.ts';

/** Messages that may come at once. */
const BURST_SEC = 10;
/** Messages that wait to be worked off, as while a session is being opened. */
const MAX_WAITING = 500;

type Reason = 'lag' | 'audio' | 'messages' | 'waiting';
type FlowLimits = Pick<ConnectionLimits, 'maxLagSec' | 'maxSpeed' | 'burstSec' | 'messagesPerSec'>;

/** Decides when a socket is read: what comes too fast waits with its client, and nothing is lost. */
export class FlowControl {
  readonly #wire: Pick<Wire, 'pause' | 'resume'>;
  readonly #limits: FlowLimits;
  readonly #audio: Allowance;
  readonly #messages: Allowance;
  readonly #held = new Set<Reason>();
  readonly #timers = new Map<Reason, NodeJS.Timeout>();
  #sampleCount: number | null = null;

  constructor(wire: Pick<Wire, 'pause' | 'resume'>, limits: FlowLimits, nowMs = performance.now()) {
    this.#wire = wire;
    this.#limits = limits;
    const { maxSpeed, burstSec, messagesPerSec } = limits;
    this.#audio = new Allowance(maxSpeed * SAMPLE_RATE_HZ, secToSamples(burstSec), nowMs);
    this.#messages = new Allowance(messagesPerSec, messagesPerSec * BURST_SEC, nowMs);
  }

  /** The client waits for the service: it is not to blame for its silence. */
  get isHeld(): boolean {
    return this.#held.size > 0;
  }

  /** A message came; so many have not been worked off. */
  onMessage(waiting: number, nowMs = performance.now()): void {
    this.#holdFor('messages', this.#messages.take(1, nowMs));
    this.onWaiting(waiting);
  }

  onWaiting(waiting: number): void {
    this.#hold('waiting', waiting > MAX_WAITING);
  }

  /** A session has so many samples by now, and the text of so many is missing. */
  onAudio(sampleCount: number, lagSamples: number, nowMs = performance.now()): void {
    const fresh = sampleCount - (this.#sampleCount ?? sampleCount);
    this.#sampleCount = sampleCount;
    this.#holdFor('audio', this.#audio.take(Math.max(0, fresh), nowMs));
    this.#hold('lag', lagSamples > secToSamples(this.#limits.maxLagSec));
  }

  /** The socket is read again, so that it can be closed. */
  stop(): void {
    for (const timer of this.#timers.values()) clearTimeout(timer);
    for (const reason of [...this.#held]) this.#hold(reason, false);
  }

  #holdFor(reason: Reason, waitMs: number): void {
    if (waitMs <= 0 || this.#held.has(reason)) return;
    this.#hold(reason, true);
    const timer = setTimeout(() => this.#hold(reason, false), waitMs).unref();
    this.#timers.set(reason, timer);
  }

  #hold(reason: Reason, isHeld: boolean): void {
    const was = this.isHeld;
    if (isHeld) this.#held.add(reason);
    else this.#held.delete(reason);
    if (was === this.isHeld) return;
    if (was) this.#wire.resume();
    else this.#wire.pause();
  }
}

/** So much a second, and what was not used before, up to a limit. */
class Allowance {
  readonly #perSec: number;
  readonly #most: number;
  #left: number;
  #atMs: number;

  constructor(perSec: number, most: number, nowMs: number) {
    this.#perSec = perSec;
    this.#most = most;
    this.#left = most;
    this.#atMs = nowMs;
  }

  /** Milliseconds until it is made up for; 0: there was enough. */
  take(amount: number, nowMs: number): number {
    const gained = ((nowMs - this.#atMs) / 1000) * this.#perSec;
    this.#atMs = nowMs;
    this.#left = Math.min(this.#most, this.#left + gained) - amount;
    return this.#left >= 0 ? 0 : (-this.#left / this.#perSec) * 1000;
  }
}
