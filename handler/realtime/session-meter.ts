import { samplesToSec } from '../../audio/time.ts';
import type { LiveEvent } from '../../pipeline/realtime/session-state.ts';
import type { LiveMeter } from './contracts.ts';

/** Pieces whose arrival is remembered: enough for minutes of audio whose text is missing. */
const MAX_ARRIVALS = 4096;

/** Measures one session: how long after the sound its final words are told. */
export class SessionMeter {
  readonly #meter: LiveMeter | undefined;
  /** Until which sample audio had come when, in order. */
  #arrivals: { readonly end: number; readonly atMs: number }[] = [];

  constructor(meter: LiveMeter | undefined) {
    this.#meter = meter;
  }

  heard(sampleCount: number, atMs = performance.now()): void {
    if (this.#meter === undefined) return;
    this.#arrivals.push({ end: sampleCount, atMs });
    if (this.#arrivals.length > MAX_ARRIVALS) this.#arrivals.shift();
  }

  told(events: readonly LiveEvent[], nowMs = performance.now()): void {
    for (const event of events) {
      if (event.type === 'gap') {
        this.#meter?.gap(samplesToSec(event.range.end - event.range.start));
      } else if (event.type === 'final') {
        const end = event.words.at(-1)?.range.end;
        if (end !== undefined) this.#tellLatency(end, nowMs);
      }
    }
  }

  /** Words end in order, so what came before is not asked for again. */
  #tellLatency(end: number, nowMs: number): void {
    const index = this.#arrivals.findIndex((arrival) => arrival.end >= end);
    if (index === -1) return; // It came to an earlier process.
    this.#arrivals = this.#arrivals.slice(index);
    this.#meter?.final((nowMs - this.#arrivals[0]!.atMs) / 1000);
  }
}
