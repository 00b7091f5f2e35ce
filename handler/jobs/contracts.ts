import type { JobContext } from '../job.ts';
import type { JobOutput } from '../run-job.ts';
import type { WireSegment } from '../wire-segment.ts';

/** A job as the service hands it to whoever runs it. */
export interface ServiceJob {
  readonly id: string;
  /** Whose key it came with; null where no keys are configured. */
  readonly tenant: string | null;
  /** The input of a RunPod job; without audio fields where there is an upload. */
  readonly input: Readonly<Record<string, unknown>>;
  /** A received file. It belongs to the service, which removes it when the job has settled. */
  readonly upload: Upload | null;
}

export interface Upload {
  readonly path: string;
  readonly bytes: number;
}

export interface ExecutionContext extends JobContext {
  /** Finished segments in time order, each once, where the executor knows them early. */
  onSegments?(segments: readonly WireSegment[]): void;
}

/** Runs jobs: the engine of this process, or a pool of workers behind RunPod's queue. */
export interface JobExecutor {
  /** Never throws: a failure is an output with a top-level `error`. */
  execute(job: ServiceJob, context: ExecutionContext): Promise<JobOutput>;
}
