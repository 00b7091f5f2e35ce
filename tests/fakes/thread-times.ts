import { readFileSync } from 'node:fs';

export interface ThreadTimes {
  readonly computingMs: number;
  /** For a core that others have: what a busy machine takes away. */
  readonly waitingMs: number;
}

/** What Linux has counted of the main thread, to a few milliseconds; other systems tell nothing. */
export function threadTimes(): ThreadTimes | undefined {
  try {
    const counts = readFileSync(`/proc/self/task/${process.pid}/schedstat`, 'utf8').split(' ');
    const [computing = 0, waiting = 0] = counts.map(Number);
    return { computingMs: computing / 1e6, waitingMs: waiting / 1e6 };
  } catch {
    return undefined;
  }
}
