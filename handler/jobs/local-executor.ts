import { dirname, join } from 'node:path';
import type { JobOutput, JobServices } from '../run-job.ts';
import { runJob } from '../run-job.ts';
import { toWireSegment } from '../wire-segment.ts';
import type { ExecutionContext, JobExecutor, ServiceJob } from './contracts.ts';

export interface LocalExecutorOptions {
  /** Folder below which `audio_url` may name a file; with keys each tenant has its own in it. */
  readonly audioRoot: string | undefined;
  /** What runs a job whose files lie below `root`; a live session may be longer than a recording. */
  readonly services: (root: string | undefined, isOfLiveSession: boolean) => JobServices;
}

/** Runs jobs on the engine of this process. */
export class LocalExecutor implements JobExecutor {
  readonly #options: LocalExecutorOptions;

  constructor(options: LocalExecutorOptions) {
    this.#options = options;
  }

  /** An upload is read where the service put it; its folder is all that such a job may read. */
  execute(job: ServiceJob, context: ExecutionContext): Promise<JobOutput> {
    const { id, input, upload } = job;
    if (upload === null) return this.#run({ id, input }, this.#rootOf(job), context);
    const withPath = { ...input, audio_url: upload.path, audio_base64: null };
    return this.#run({ id, input: withPath }, dirname(upload.path), context);
  }

  #rootOf({ tenant }: ServiceJob): string | undefined {
    const { audioRoot } = this.#options;
    return audioRoot === undefined || tenant === null ? audioRoot : join(audioRoot, tenant);
  }

  #run(
    job: { readonly id: string; readonly input: unknown },
    root: string | undefined,
    context: ExecutionContext,
  ): Promise<JobOutput> {
    const services = this.#options.services(root, context.countedAudioSec === 0);
    return runJob(job, tellingSegments(services, context), context);
  }
}

/** The same services, telling the context of segments as they are finished. */
export function tellingSegments(
  services: JobServices,
  context: Pick<ExecutionContext, 'onSegments'>,
): JobServices {
  if (context.onSegments === undefined) return services;
  return {
    ...services,
    transcribe: (waveform, options, hooks, signal) =>
      services.transcribe(
        waveform,
        options,
        {
          ...hooks,
          onSegments: (segments) => {
            hooks.onSegments?.(segments);
            context.onSegments?.(segments.map(toWireSegment));
          },
        },
        signal,
      ),
  };
}
