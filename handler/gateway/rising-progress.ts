import type { JobContext, JobProgress } from '../job.ts';

/** Keeps the promise that progress never falls, also when a job begins anew on another worker. */
export function risingProgress(context: Pick<JobContext, 'onProgress'>) {
  let highest = -1;
  return {
    onProgress(progress: JobProgress): void {
      if (progress.fraction <= highest) return;
      highest = progress.fraction;
      context.onProgress(progress);
    },
  };
}
