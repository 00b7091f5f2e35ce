import type { JobProgress } from '../job.ts';
import type { WireSegment } from '../wire-segment.ts';

/** What this process knows of a job that it runs. */
export interface LiveJob {
  readonly attempt: number;
  readonly progress: JobProgress | null;
  readonly segments: readonly WireSegment[];
}

/** Tells watchers about jobs at work; nothing of it needs to survive. */
export class LiveJobs {
  readonly #jobs = new Map<
    string,
    { attempt: number; progress: JobProgress | null; segments: WireSegment[] }
  >();
  readonly #waiting = new Map<string, Set<() => void>>();
  #changes = 0;

  /** Grows with every change; what was read at another count may be out of date. */
  get changes(): number {
    return this.#changes;
  }

  begin(id: string, attempt: number): void {
    this.#jobs.set(id, { attempt, progress: null, segments: [] });
    this.changed(id);
  }

  progressed(id: string, progress: JobProgress): void {
    const job = this.#jobs.get(id);
    if (job) job.progress = progress;
    this.changed(id);
  }

  addSegments(id: string, segments: readonly WireSegment[]): void {
    this.#jobs.get(id)?.segments.push(...segments);
    this.changed(id);
  }

  end(id: string, attempt: number): void {
    if (this.#jobs.get(id)?.attempt === attempt) this.#jobs.delete(id);
    this.changed(id);
  }

  get(id: string): LiveJob | undefined {
    return this.#jobs.get(id);
  }

  changed(id: string): void {
    this.#changes += 1;
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    for (const wake of waiting ?? []) wake();
  }

  /** Resolves at the next change that this process knows of, after `timeoutMs`, or with the signal. */
  nextChange(id: string, timeoutMs: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const waiting = this.#waiting.get(id) ?? new Set();
      this.#waiting.set(id, waiting);
      const wake = (): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', wake);
        waiting.delete(wake);
        if (waiting.size === 0 && this.#waiting.get(id) === waiting) this.#waiting.delete(id);
        resolve();
      };
      const timer = setTimeout(wake, timeoutMs);
      signal.addEventListener('abort', wake, { once: true });
      waiting.add(wake);
      if (signal.aborted) wake();
    });
  }
}
