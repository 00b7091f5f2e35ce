import type { JobContext, JobProgress } from '../job.ts';
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
  /** Audio that an earlier run has counted; 0: it was counted otherwise, as that of a live session. */
  readonly countedAudioSec?: number | null;
  /** How long the job has waited to be taken. */
  readonly queuedMs?: number | undefined;
  /** Where the job runs elsewhere; survives this process where the job does. */
  readonly remote?: RemoteRun;
}

/** The run of a job on a RunPod endpoint, as whoever takes the job over finds it. */
interface RemoteRun {
  /** The endpoint's id of a run that an earlier process has begun. */
  readonly id: string | null;
  /** Null: nothing runs there any more. */
  save(id: string | null): Promise<void>;
}

/** Runs jobs: the engine of this process, or a pool of workers behind RunPod's queue. */
export interface JobExecutor {
  /** Never throws: a failure is an output with a top-level `error`. */
  execute(job: ServiceJob, context: ExecutionContext): Promise<JobOutput>;
}

export const JOB_STATES = ['queued', 'running', 'completed', 'failed', 'cancelled'] as const;
export type JobState = (typeof JOB_STATES)[number];

/** What is known of an asynchronous job; times in milliseconds since 1970. */
export interface JobView {
  readonly id: string;
  readonly state: JobState;
  readonly createdAtMs: number;
  readonly startedAtMs: number | null;
  readonly finishedAtMs: number | null;
  /** When the result will be deleted by itself; null while the job is not settled. */
  readonly expiresAtMs: number | null;
  readonly progress: JobProgress | null;
  /** Once settled; lists leave it out. */
  readonly output: JobOutput | null;
  /** Runs so far; more than one after a crash. */
  readonly attempts?: number;
  /** The announcement of a settled job. */
  readonly webhook?: WebhookView | null;
}

interface WebhookView {
  readonly state: 'pending' | 'delivered' | 'failed';
  readonly attempts: number;
  /** HTTP status of the last answer; null if there was none. */
  readonly lastStatus: number | null;
}

/** What a watcher learns; progress may be coarser than it was, segments and the end are complete. */
export type JobEvent =
  | { readonly type: 'state'; readonly view: JobView }
  | { readonly type: 'progress'; readonly progress: JobProgress }
  /** Only where the job runs in this process; a new attempt begins with its own first segment. */
  | { readonly type: 'segments'; readonly segments: readonly WireSegment[] }
  | { readonly type: 'settled'; readonly view: JobView };

export interface JobSubmission {
  /**
   * `submit` moves or copies the upload into a folder of its own before it resolves: what is left at
   * the path is removed then.
   */
  readonly job: ServiceJob;
  readonly webhookUrl: string | null;
  /** Unique within the tenant; a repeated one answers the job that it first made. */
  readonly idempotencyKey: string | null;
  /** Of the HTTP request, for the log. */
  readonly requestId?: string;
  /**
   * Promised before, as the transcript of a live session is: taken however much waits, its webhook
   * was checked, its audio was counted.
   */
  readonly isOwed?: boolean;
}

/** Part of a list; `cursor` leads to what follows, null to nothing. */
export interface JobPage {
  readonly views: readonly JobView[];
  readonly cursor: string | null;
}

/** Jobs whose callers do not wait; every call sees only the jobs of the tenant that it names. */
export interface AsyncJobs {
  /** @throws {SttError} when the key was used for another request, or no more jobs may wait. */
  submit(
    submission: JobSubmission,
  ): Promise<{ readonly view: JobView; readonly replayed: boolean }>;
  /** @throws {SttError} URL_FORBIDDEN, INPUT_INVALID where no message could be sent there. */
  checkWebhook(tenant: string | null, url: string): Promise<void>;
  get(tenant: string | null, id: string): Promise<JobView | undefined>;
  /** Newest first. @throws {SttError} INPUT_INVALID for a cursor that is none. */
  list(tenant: string | null, limit: number, cursor?: string | null): Promise<JobPage>;
  /** Undefined: this tenant has no such job. A settled job stays as it is. */
  cancel(tenant: string | null, id: string): Promise<JobView | undefined>;
  /** Cancels it if need be and forgets it with its result; false: this tenant has no such job. */
  delete(tenant: string | null, id: string): Promise<boolean>;
  /** Begins with the present state, ends once the job is settled or deleted, or with the signal. */
  watch(tenant: string | null, id: string, signal: AbortSignal): AsyncIterable<JobEvent>;
  countByState(): Promise<Readonly<Record<JobState, number>>>;
  /** Jobs of the tenant at work in this process. */
  runningOf(tenant: string | null): number;
}

export const isSettled = (state: JobState): boolean => state !== 'queued' && state !== 'running';
