import type { Config } from '../../core/config.ts';
import { SttError } from '../../core/errors.ts';
import type { Logger } from '../../core/logger.ts';
import { inlineLocalAudio } from '../dispatch/inline-audio.ts';
import type { DispatchTarget } from '../dispatch/remote-job.ts';
import { submitJob } from '../dispatch/submit-job.ts';
import type { JobProgress } from '../job.ts';
import { type JobServices, runJob } from '../run-job.ts';
import type { LocalJob } from './local-jobs.ts';
import type { ProgressDisplay } from './progress-display.ts';
import { Refusal } from './refusal.ts';

/** Loaded models, ready to run jobs on this machine. */
export interface LocalEngine {
  /** Services whose jobs may read files below `audioRoot` only. */
  jobServices(audioRoot: string): JobServices;
  close(): Promise<void>;
}

export interface RunnerOptions {
  readonly config: Config;
  /** Loads the models; called once, and only when there is something to run here. */
  createServices(logger: Logger, display: Pick<ProgressDisplay, 'transfer'>): Promise<LocalEngine>;
  readonly display: Pick<ProgressDisplay, 'transfer'>;
  /** Where `--endpoint` sends its jobs; RunPod unless set. */
  readonly dispatch?: Pick<DispatchTarget, 'baseUrl' | 'polling'>;
  readonly endpointId: string | undefined;
  readonly logger: Logger;
  readonly signal: AbortSignal;
}

/** Runs jobs somewhere; a failed one is an output with a top-level `error`. */
export interface JobRunner {
  run(job: LocalJob, onProgress: (progress: JobProgress) => void): Promise<object>;
  close(): Promise<void>;
}

/**
 * @throws {Refusal} when an endpoint is named without a key.
 * @throws {SttError} MODEL_… and DEVICE_… when the models cannot be loaded.
 */
export async function createJobRunner(options: RunnerOptions): Promise<JobRunner> {
  const { endpointId, config, dispatch } = options;
  if (endpointId === undefined) return engineRunner(options);
  const apiKey = config.runpod.clientApiKey;
  if (apiKey === undefined) throw new Refusal(2, '--endpoint needs RUNPOD_API_KEY to be set');
  return endpointRunner({ ...dispatch, endpointId, apiKey }, options);
}

async function engineRunner(options: RunnerOptions): Promise<JobRunner> {
  const { logger, display, signal } = options;
  const engine = await options.createServices(logger, display);
  return {
    run({ job, audioRoot }, onProgress) {
      const context = { signal, logger: logger.child({ requestId: job.id }), onProgress };
      return runJob(job, engine.jobServices(audioRoot), context);
    },
    close: () => engine.close(),
  };
}

function endpointRunner(target: DispatchTarget, { logger, signal }: RunnerOptions): JobRunner {
  return {
    async run({ job, audioRoot }, onProgress) {
      try {
        const input = await inlineLocalAudio(job.input, audioRoot);
        return await submitJob(input, target, { signal, onProgress });
      } catch (thrown) {
        const error = SttError.from(thrown);
        logger.child({ requestId: job.id }).error({ err: error }, 'job failed');
        return { error: error.toJSON() };
      }
    },
    close: async () => {},
  };
}
