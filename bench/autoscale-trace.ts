import type { Arrival } from './autoscale-simulation.ts';

export interface TraceOptions {
  readonly hours: number;
  /** Recordings uploaded when the meetings of an hour end. */
  readonly meetingsAnHour: number;
  readonly meetingSec: number;
  /** Live sessions that begin with each hour and last as long as a meeting. */
  readonly sessionsAnHour: number;
  /** A live session sends a window this often. */
  readonly windowEverySec: number;
}

const HOUR_SEC = 3600;
/** Uploads spread over the minutes after the hour. */
const UPLOAD_SPREAD_SEC = 300;

/** Office hours: meetings start and end on the hour. The same trace for the same options. */
export function officeTrace(options: TraceOptions): Arrival[] {
  const random = mulberry32(20_261_123);
  const arrivals: Arrival[] = [];
  for (let hour = 0; hour < options.hours; hour++) {
    for (let meeting = 0; meeting < options.meetingsAnHour; meeting++) {
      // Most people are quick: the square of an even draw.
      const delaySec = random() ** 2 * UPLOAD_SPREAD_SEC;
      const audioSec = options.meetingSec * (0.5 + random());
      arrivals.push({ atSec: hour * HOUR_SEC + delaySec, audioSec, kind: 'file' });
    }
    for (let session = 0; session < options.sessionsAnHour; session++) {
      const startSec = hour * HOUR_SEC + random() * 60;
      const untilSec = startSec + options.meetingSec;
      for (let atSec = startSec; atSec < untilSec; atSec += options.windowEverySec) {
        arrivals.push({ atSec, audioSec: options.windowEverySec, kind: 'realtime' });
      }
    }
  }
  return arrivals.sort((a, b) => a.atSec - b.atSec);
}

/** Even numbers in [0, 1), always the same ones (Tommy Ettinger's generator). */
function mulberry32(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
