/** What fills the placeholders that the platform leaves in its URLs. */
export interface WorkerIdentity {
  readonly workerId: string;
  readonly gpuTypeId: string | undefined;
}

const TAKE_PATH = '/job-take/';

/** For URLs and headers, which take no other characters; half of a surrogate pair has no code at all. */
export const encoded = (text: string): string => encodeURIComponent(text.toWellFormed());

/** Appends by concatenation: parsing would re-encode the platform's own query. */
export const withQuery = (url: string, query: string): string =>
  `${url}${url.includes('?') ? '&' : '?'}${query}`;

/** Fills a take or ping URL, where `$ID` means the worker. */
export function fillWorkerUrl(template: string, identity: WorkerIdentity): string {
  return fillIdentity(template, identity).replaceAll('$ID', () => encoded(identity.workerId));
}

/** Fills a post URL and keeps `$ID`, which there means the job. */
export function fillIdentity(template: string, { workerId, gpuTypeId }: WorkerIdentity): string {
  const filled = template.replaceAll('$RUNPOD_POD_ID', () => encoded(workerId));
  if (gpuTypeId === undefined) return filled;
  const gpu = gpuTypeId.split(/[ +]/).map(encoded).join('+');
  return filled.replaceAll('$RUNPOD_GPU_TYPE_ID', () => gpu);
}

/** The single take URL for one job, the batch URL for more. */
export function takeUrl(takeBase: string, jobsNeeded: number, isBusy: boolean): string {
  const inProgress = `job_in_progress=${isBusy ? 1 : 0}`;
  if (jobsNeeded === 1) return withQuery(takeBase, inProgress);
  const batchBase = takeBase.replace(TAKE_PATH, '/job-take-batch/');
  return withQuery(batchBase, `batch_size=${jobsNeeded}&${inProgress}`);
}

/** `undefined` when the take URL has an unknown shape: then jobs cannot be stopped. */
export const stopUrl = (takeBase: string): string | undefined =>
  takeBase.includes(TAKE_PATH) ? takeBase.replace(TAKE_PATH, '/job-stop/') : undefined;

/** Where a job's result, progress or chunk goes; `isStream` is true only for a stream's last post. */
export function jobUrl(template: string, jobId: string, isStream: boolean): string {
  const filled = template.replaceAll('$ID', () => encoded(jobId));
  return withQuery(filled, `isStream=${isStream}`);
}

/** A heartbeat names the jobs that this worker holds; idle workers leave `job_id` out. */
export function pingUrl(pingBase: string, jobIds: readonly string[], protocol: string): string {
  const jobs = jobIds.length > 0 ? `job_id=${encoded(jobIds.join(','))}&` : '';
  return withQuery(pingBase, `${jobs}runpod_version=${encoded(protocol)}`);
}

export function unhealthyPingUrl(
  pingBase: string,
  failure: { readonly check: string; readonly reason: string },
  protocol: string,
): string {
  const query = new URLSearchParams({
    status: 'unhealthy',
    check: failure.check,
    reason: failure.reason.slice(0, 256),
    runpod_version: protocol,
  });
  return withQuery(pingBase, query.toString());
}
