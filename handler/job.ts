import type { Logger } from '../core/logger.ts';
import type { WireSegment } from './wire-segment.ts';

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

/** What a worker tells of a job on the way; a gateway in front of it passes it on piece by piece. */
export interface WorkerProgress extends JobProgress {
  /** Length of the recording, once it is open. */
  readonly audio_sec?: number;
  /** The latest finished segments; the first of them is the job's number `first`, from 0. */
  readonly segments?: { readonly first: number; readonly latest: readonly WireSegment[] };
}

export interface JobContext {
  readonly signal: AbortSignal;
  readonly logger: Logger;
  onProgress(progress: JobProgress): void;
  /** The recording is open and so long, all channels that are transcribed together. May throw, which refuses the job. */
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
