import { afterEach, expect, test, vi } from 'vitest';
import { SttError } from '../../../core/errors.ts';
import { followRemotely, runRemotely } from '../../../handler/dispatch/remote-job.ts';
import { submitJob } from '../../../handler/dispatch/submit-job.ts';
import type { JobProgress } from '../../../handler/job.ts';
import {
  type ClientApiScript,
  type RunpodClientApi,
  startRunpodClientApi,
} from '../../fakes/runpod-client-api.ts';

const INPUT = { audio_url: 'https://example.com/a.wav' };
const DONE = { status: 'COMPLETED', output: { transcript: 'ask not' } };
const POLLING = { firstWaitMs: 5, longestWaitMs: 20, attempts: 3, lookAttempts: 3 };

let api: RunpodClientApi | undefined;
afterEach(async () => {
  await api?.close();
  vi.restoreAllMocks();
});

async function harness(script: ClientApiScript) {
  api = await startRunpodClientApi(script);
  const { baseUrl, requests } = api;
  const controller = new AbortController();
  const progress: JobProgress[] = [];
  const target = { endpointId: 'abc123', apiKey: 'key-1', baseUrl, polling: POLLING };
  const submit = (input: unknown = INPUT) =>
    submitJob(input, target, {
      signal: controller.signal,
      onProgress: (step) => progress.push(step),
    });
  const failure = async (input?: unknown): Promise<SttError> => {
    const thrown = await submit(input).catch((error: unknown) => error);
    expect(thrown).toBeInstanceOf(SttError);
    return thrown as SttError;
  };
  return { requests, progress, controller, submit, failure, target };
}

const pathsOf = (requests: RunpodClientApi['requests']): string[] =>
  requests.map(({ method, path }) => `${method} ${path}`);

test('a job is sent, watched and answered', async () => {
  const { submit, requests } = await harness({
    status: [{ status: 'IN_QUEUE' }, { status: 'IN_PROGRESS' }, DONE],
  });
  expect(await submit()).toEqual({ transcript: 'ask not' });
  expect(pathsOf(requests)).toEqual([
    'POST /v2/abc123/run',
    'GET /v2/abc123/status/remote-1',
    'GET /v2/abc123/status/remote-1',
    'GET /v2/abc123/status/remote-1',
  ]);
  expect(requests[0]).toMatchObject({ authorization: 'Bearer key-1', body: { input: INPUT } });
});

test('the progress of the worker is passed on, anything else is not taken for it', async () => {
  const output = { stage: 'transcribe', fraction: 0.5 };
  const { submit, progress } = await harness({
    status: [
      { status: 'IN_PROGRESS', output },
      { status: 'IN_PROGRESS', output: 'half' },
      { status: 'IN_PROGRESS', output: { fraction: 7, stage: 'x' } },
      DONE,
    ],
  });
  await submit();
  expect(progress).toEqual([output]);
});

test('nothing is printed', async () => {
  const spies = (['log', 'info', 'warn', 'error'] as const).map((name) =>
    vi.spyOn(console, name).mockImplementation(() => undefined),
  );
  const { submit } = await harness({ status: [{ status: 'IN_QUEUE' }, DONE] });
  await submit();
  for (const spy of spies) expect(spy).not.toHaveBeenCalled();
});

test.each([
  ['an object', { code: 'AUDIO_EMPTY', message: 'The audio has 0 bytes', retryable: false }],
  ['a text of JSON', '{"code":"AUDIO_EMPTY","message":"The audio has 0 bytes"}'],
])('the error of our worker arrives as it is, sent as %s', async (_name, error) => {
  const { failure } = await harness({ status: [{ status: 'FAILED', error }] });
  expect(await failure()).toMatchObject({ code: 'AUDIO_EMPTY', message: 'The audio has 0 bytes' });
});

test.each([
  'Traceback: c4nary',
  { error_message: 'c4nary' },
  { code: 'NO_SUCH_CODE', message: 'c4nary' },
  undefined,
])('what another worker says is not repeated (%j)', async (error) => {
  const { failure } = await harness({ status: [{ status: 'FAILED', error }] });
  const { code, message } = await failure();
  expect(code).toBe('INTERNAL');
  expect(message).not.toContain('c4nary');
});

test.each([
  ['CANCELLED', 'JOB_CANCELLED'],
  ['TIMED_OUT', 'JOB_TIMEOUT'],
])('a job that ends as %s is %s', async (status, code) => {
  const { failure } = await harness({ status: [{ status }] });
  expect(await failure()).toMatchObject({ code });
});

test('a job that completes without a result has failed', async () => {
  const { failure } = await harness({ status: [{ status: 'COMPLETED' }] });
  expect(await failure()).toMatchObject({ code: 'INTERNAL' });
});

test.each([
  [401, 'ENDPOINT_REFUSED', /API key/],
  [404, 'ENDPOINT_REFUSED', /no such endpoint/],
  [413, 'AUDIO_TOO_LARGE', /audio_url/],
  [500, 'OUTCOME_UNKNOWN', /HTTP 500/],
  [502, 'OUTCOME_UNKNOWN', /HTTP 502/],
])('HTTP %i on sending is %s and is not repeated', async (status, code, message) => {
  const { failure, requests } = await harness({ run: [status], status: [DONE] });
  const error = await failure();
  expect(error).toMatchObject({ code, message: expect.stringMatching(message) });
  expect(requests).toHaveLength(1);
});

test('a job that RunPod was too busy to take is sent again', async () => {
  const { submit, requests } = await harness({
    run: [429, { status: 'IN_QUEUE' }],
    status: [DONE],
  });
  expect(await submit()).toEqual({ transcript: 'ask not' });
  expect(pathsOf(requests).filter((path) => path.endsWith('/run'))).toHaveLength(2);
});

test('a job that ran out of workers, or that RunPod has forgotten, is WORKER_LOST', async () => {
  const error = 'job timed out after 1 retries';
  for (const answer of [{ status: 'FAILED', error }, { status: 'TIMED_OUT', error }, 404]) {
    const { failure } = await harness({ status: [{ status: 'IN_PROGRESS' }, answer] });
    expect(await failure()).toMatchObject({ code: 'WORKER_LOST', retryable: true });
    await api?.close();
  }
});

test('a limit of time is told to RunPod, and a job that nobody takes in time is cancelled', async () => {
  const { target, requests } = await harness({ status: [{ status: 'IN_QUEUE' }] });
  const limits = { maxQueueMs: 40, maxJobMs: 60_000 };
  const context = { signal: new AbortController().signal, onProgress: () => undefined };
  await expect(submitJob(INPUT, { ...target, limits }, context)).rejects.toMatchObject({
    code: 'QUEUE_TIMEOUT',
  });
  expect(requests[0]?.body).toEqual({
    input: INPUT,
    policy: { ttl: 90_040, executionTimeout: 60_000 },
  });
  expect(pathsOf(requests).at(-1)).toBe('POST /v2/abc123/cancel/remote-1');
});

test('looking again survives a few failures', async () => {
  const { submit } = await harness({ status: [502, 429, { status: 'IN_PROGRESS' }, 503, DONE] });
  expect(await submit()).toEqual({ transcript: 'ask not' });
});

test('looking again gives up in the end, and ends the job that nobody waits for any more', async () => {
  const { failure, requests } = await harness({ status: [502] });
  expect(await failure()).toMatchObject({
    code: 'ENDPOINT_UNAVAILABLE',
    message: expect.stringContaining('502'),
  });
  expect(requests).toHaveLength(1 + POLLING.lookAttempts + 1);
  expect(pathsOf(requests).at(-1)).toBe('POST /v2/abc123/cancel/remote-1');
});

test('a job that can neither be looked at nor ended has an unknown outcome, and is not sent again', async () => {
  const { failure, requests } = await harness({ status: [502], cancel: 502 });
  expect(await failure()).toMatchObject({ code: 'OUTCOME_UNKNOWN', retryable: true });
  expect(pathsOf(requests).filter((path) => path.endsWith('/run'))).toHaveLength(1);
});

test('a job that was sent before is followed, and not sent', async () => {
  const { target, requests } = await harness({ status: [{ status: 'IN_PROGRESS' }, DONE] });
  const workedMs: number[] = [];
  const answer = await followRemotely('remote-1', target, {
    signal: new AbortController().signal,
    onProgress: () => undefined,
    onWorked: (ms) => workedMs.push(ms),
  });
  expect(answer).toMatchObject(DONE);
  expect(new Set(pathsOf(requests))).toEqual(new Set(['GET /v2/abc123/status/remote-1']));
  expect(workedMs).toEqual([expect.any(Number)]);
});

test('the id is noted before the first look, and a job may be left to whoever comes next', async () => {
  const { target, requests, controller } = await harness({ status: [{ status: 'IN_PROGRESS' }] });
  const seen: string[] = [];
  const left = runRemotely(INPUT, target, {
    signal: controller.signal,
    onProgress: () => undefined,
    onSent: async (id) => void seen.push(id, ...pathsOf(requests)),
    leavesRunning: () => true,
  });
  setTimeout(() => controller.abort(new SttError('SHUTTING_DOWN', 'The test stops')), 50);
  await expect(left).rejects.toMatchObject({ code: 'SHUTTING_DOWN' });
  expect(seen).toEqual(['remote-1', 'POST /v2/abc123/run']);
  expect(pathsOf(requests)).not.toContain('POST /v2/abc123/cancel/remote-1');
});

test('what the progress makes its watcher refuse ends the job there', async () => {
  const output = { stage: 'transcribe', fraction: 0.1, audio_sec: 3600 };
  const { target, requests } = await harness({ status: [{ status: 'IN_PROGRESS', output }] });
  const refused = runRemotely(INPUT, target, {
    signal: new AbortController().signal,
    onProgress: ({ audio_sec }) => {
      throw new SttError('QUOTA_EXCEEDED', `${audio_sec} seconds are too many`);
    },
  });
  await expect(refused).rejects.toMatchObject({
    code: 'QUOTA_EXCEEDED',
    message: '3600 seconds are too many',
  });
  expect(pathsOf(requests).at(-1)).toBe('POST /v2/abc123/cancel/remote-1');
});

test('an endpoint that cannot be reached says so', async () => {
  const { target } = await harness({ status: [DONE] });
  await api?.close();
  const context = { signal: new AbortController().signal, onProgress: () => undefined };
  await expect(submitJob(INPUT, target, context)).rejects.toMatchObject({
    code: 'ENDPOINT_UNAVAILABLE',
    message: 'RunPod could not be reached',
  });
});

test('an abort also cancels the job on the endpoint', async () => {
  const { failure, controller, requests } = await harness({ status: [{ status: 'IN_PROGRESS' }] });
  setTimeout(() => controller.abort(), 50);
  expect(await failure()).toMatchObject({ code: 'JOB_CANCELLED' });
  expect(pathsOf(requests).at(-1)).toBe('POST /v2/abc123/cancel/remote-1');
});

test('a job that was aborted before is not sent', async () => {
  const { failure, controller, requests } = await harness({ status: [DONE] });
  controller.abort();
  expect(await failure()).toMatchObject({ code: 'JOB_CANCELLED' });
  expect(requests).toEqual([]);
});

test('a job above the limit of RunPod is not sent', async () => {
  const { failure, requests } = await harness({ status: [DONE] });
  const error = await failure({ audio_base64: 'A'.repeat(10_000_000) });
  expect(error).toMatchObject({
    code: 'AUDIO_TOO_LARGE',
    message: expect.stringContaining('audio_url'),
  });
  expect(requests).toEqual([]);
});
