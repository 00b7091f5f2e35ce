/** How urgent a run is: live captions, the words of files, what is found beside the words. */
export type RunPriority = 'realtime' | 'file' | 'background';

/** What waits for the engine's thread. */
export interface QueuedRun {
  /** Asked each time: what it is about may become more urgent while it waits. */
  priority(): RunPriority;
  /** The session that it is about; null for none in particular. */
  readonly session: string | null;
  /** It changes its session: the runs before it must not come after it, nor the other way round. */
  readonly isChange: boolean;
}

const URGENCY: Readonly<Record<RunPriority, number>> = { realtime: 0, file: 1, background: 2 };
/** How often the oldest of all lets others go first: only live captions may pass it so often. */
const MAX_PASSED_OVER: Readonly<Record<RunPriority, number>> = {
  realtime: 16,
  file: 4,
  background: 4,
};

/**
 * What waits for a thread that does one thing at a time: the most urgent first, by arrival where they
 * are even. Nothing starves: what is the oldest goes after `MAX_PASSED_OVER` others at the latest.
 */
export class RunQueue<Run extends QueuedRun> {
  #waiting: Run[] = [];
  #oldest: Run | undefined;
  #passedOver = 0;

  get length(): number {
    return this.#waiting.length;
  }

  add(run: Run): void {
    this.#waiting.push(run);
  }

  /** In front of all others, in this order. */
  addFirst(runs: readonly Run[]): void {
    this.#waiting.unshift(...runs);
  }

  remove(run: Run): void {
    this.#waiting = this.#waiting.filter((other) => other !== run);
  }

  /** Empties the queue. */
  takeAll(): Run[] {
    return this.#waiting.splice(0);
  }

  take(): Run | undefined {
    const oldest = this.#waiting[0];
    if (oldest === undefined) return undefined;
    const candidates = this.#waiting.filter((run, index) => this.#mayGo(run, index));
    const urgent = candidates.reduce((best, run) =>
      URGENCY[run.priority()] < URGENCY[best.priority()] ? run : best,
    );
    this.#passedOver = oldest === this.#oldest ? this.#passedOver + 1 : 0;
    this.#oldest = oldest;
    const next = this.#passedOver >= MAX_PASSED_OVER[urgent.priority()] ? oldest : urgent;
    this.remove(next);
    return next;
  }

  #mayGo(run: Run, index: number): boolean {
    if (run.session === null) return true;
    return !this.#waiting
      .slice(0, index)
      .some((earlier) => earlier.session === run.session && (earlier.isChange || run.isChange));
  }
}
