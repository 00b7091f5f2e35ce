/** What waits in front of an engine. */
export interface EngineLoad {
  readonly batchSize: number;
  readonly waiting: { readonly realtime: number; readonly file: number };
}

export type JobKind = 'recording' | 'window';

/** Live windows that may wait, in batches, before no more jobs are taken. */
const LIVE_BATCHES_AHEAD = 2;
/** Of the next batch, what recordings have filled so far: a full one is work enough. */
const FILE_BATCHES_AHEAD = 1;

/**
 * How many more jobs a worker should take, beside its limit. What a job is shows only once it has been
 * taken, and the platform's queue knows no priority, so:
 *
 * - recordings are taken while the next batch has room; one that has brought no window yet counts as a
 *   full batch: long recordings come two at a time, short ones until their windows fill batches
 * - beyond that one job more is taken at a time, to see whether it is a live window, until it proves to
 *   be a recording: recordings that wait here keep no live window waiting there
 * - where the last job was a live window, as many as there are places are asked for
 */
export class TakeCapacity {
  readonly #load: () => EngineLoad | undefined;
  readonly #recordings = new Set<{ isHeard: boolean; isSurplus: boolean }>();
  #last: JobKind = 'recording';

  /** @param load undefined before there is an engine. */
  constructor(load: () => EngineLoad | undefined) {
    this.#load = load;
  }

  /** Counts a job until it has ended; `work` is to tell when the job's first window was heard. */
  async during<T>(kind: JobKind, work: (onHeard: () => void) => Promise<T>): Promise<T> {
    this.#last = kind;
    if (kind === 'window') return await work(() => {});
    const recording = { isHeard: false, isSurplus: this.#hasWork };
    this.#recordings.add(recording);
    try {
      return await work(() => {
        recording.isHeard = true;
      });
    } finally {
      this.#recordings.delete(recording);
      const next = [...this.#recordings].find(({ isSurplus }) => isSurplus);
      if (next) next.isSurplus = false; // It takes the place.
    }
  }

  /** To be limited by the places that are free. */
  room(): number {
    const { batchSize = 1, waiting } = this.#load() ?? {};
    if ((waiting?.realtime ?? 0) >= LIVE_BATCHES_AHEAD * batchSize) return 0;
    const some = this.#last === 'window' ? Number.POSITIVE_INFINITY : 1;
    if (!this.#hasWork) {
      for (const recording of this.#recordings) recording.isSurplus = false;
      return some;
    }
    return [...this.#recordings].some(({ isSurplus }) => isSurplus) ? 0 : some;
  }

  get #hasWork(): boolean {
    const { batchSize = 1, waiting } = this.#load() ?? {};
    const unheard = [...this.#recordings].filter(({ isHeard }) => !isHeard).length;
    return (waiting?.file ?? 0) / batchSize + unheard >= FILE_BATCHES_AHEAD;
  }
}
