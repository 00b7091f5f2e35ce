import type { LiveEvent } from '../../pipeline/realtime/session-state.ts';
import { type LiveWireEvent, toWireEvent } from './live-events.ts';
import type { NumberedEvent } from './session-store.ts';

/** What a session is about to tell. */
export interface Telling {
  /** All of it, in order. */
  readonly heard: readonly (LiveWireEvent | NumberedEvent)[];
  /** What survives a cut: all but partials. */
  readonly lasting: readonly NumberedEvent[];
}

/** The events of a session that must not be missed, by number. */
export class EventLog {
  readonly #events: NumberedEvent[];

  constructor(events: readonly NumberedEvent[]) {
    this.#events = [...events];
  }

  /** Number of the last one. */
  get lastSeq(): number {
    return this.#events.length;
  }

  /** Numbers what is to be told; it counts once it is kept. */
  prepare(told: readonly LiveEvent[]): Telling {
    const heard: (LiveWireEvent | NumberedEvent)[] = [];
    const lasting: NumberedEvent[] = [];
    for (const event of told) {
      const wire = toWireEvent(event);
      if (wire === null) continue;
      if (event.type === 'partial') {
        heard.push(wire);
        continue;
      }
      const numbered = { ...wire, event_seq: this.lastSeq + lasting.length + 1 };
      lasting.push(numbered);
      heard.push(numbered);
    }
    return { heard, lasting };
  }

  keep({ lasting }: Telling): void {
    this.#events.push(...lasting);
  }

  behind(seq: number): readonly NumberedEvent[] {
    return this.#events.slice(seq);
  }
}
