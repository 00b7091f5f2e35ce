import type { Logger } from '../core/logger.ts';

/** A unit of work as RunPod hands it out; unknown extra fields travel with it. */
export interface Job {
  readonly id: string;
  readonly input: unknown;
  readonly [extra: string]: unknown;
}

export interface JobProgress {
  readonly stage: string;
  /** 0–1, never falling. */
  readonly fraction: number;
}

export interface JobContext {
  readonly signal: AbortSignal;
  readonly logger: Logger;
  onProgress(progress: JobProgress): void;
  /** The recording is open and so long. May throw, which refuses the job. */
  onAudio?(audioSec: number): void;
}

/**
 * What a job loop runs. A returned promise is one output; an async iterable is a stream of outputs.
 * An output object with a top-level `error` is a failed job.
 */
export type JobHandler = (
  job: Job,
  context: JobContext,
) => Promise<unknown> | AsyncIterable<unknown>;
