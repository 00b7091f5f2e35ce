import { afterEach, beforeEach, expect, test } from 'vitest';
import { SttError } from '../../../core/errors.ts';
import { createLogger } from '../../../core/logger.ts';
import { GatewayExecutor } from '../../../handler/gateway/gateway-executor.ts';
import { GatewayWindows } from '../../../handler/gateway/gateway-windows.ts';
import { WorkerBudget } from '../../../handler/gateway/worker-budget.ts';
import type { JobProgress } from '../../../handler/job.ts';
import type { ExecutionContext } from '../../../handler/jobs/contracts.ts';
import { TakenOver } from '../../../handler/jobs/taken-over.ts';
import type { WireSegment } from '../../../handler/wire-segment.ts';
import { expectCode } from '../../fakes/audio-workbench.ts';
import { RunpodEndpoint } from '../../fakes/runpod-endpoint.ts';
import type { QueuedJob } from '../../fakes/runpod-queue.ts';

/** What depends on what a worker answers: here the test is the worker. */
const RESULT = {
  transcript: 'ask not',
  segments: [],
  speakers: {},
  confidence: 0.9,
  processing_time: 1,
  language: 'en',
  total_segments: 0,
  total_speakers: 0,
  has_diarization: false,
  audio_duration: 2,
  warnings: [],
};
const INPUT = { audio_url: 'https://a.example/b.wav' };
const { signal } = new AbortController();

let endpoint: RunpodEndpoint;
beforeEach(async () => {
  endpoint = await RunpodEndpoint.start({ lostAfterMs: 60_000 });
});
afterEach(() => endpoint.close());

/** Takes the next job, once there is one. */
async function take(): Promise<QueuedJob> {
  await endpoint.queue.until(() => endpoint.queue.count('IN_QUEUE') > 0);
  return endpoint.queue.take('me', 1)[0]!;
}

/** Answers the next jobs, one after the other. */
async function work(...answers: readonly Record<string, unknown>[]): Promise<void> {
  for (const answer of answers) endpoint.queue.post('me', (await take()).id, answer);
}

const failure = (code: string) => ({ error: { code, message: 'why', retryable: true } });

function run(maxAttempts = 2, more: Partial<ExecutionContext> = {}, budget?: WorkerBudget) {
  const executor = new GatewayExecutor({
    target: {
      ...endpoint.address,
      polling: { firstWaitMs: 5, longestWaitMs: 20 },
      limits: { maxQueueMs: 60_000, maxJobMs: 60_000 },
    },
    handover: { store: undefined, audio: { root: undefined, maxBytes: 1e6, spoolDir: undefined } },
    maxAttempts,
    ...(budget && { budget }),
  });
  const progress: JobProgress[] = [];
  const answer = executor.execute(
    { id: 'j1', tenant: null, input: INPUT, upload: null },
    {
      signal,
      logger: createLogger('silent', { write: () => undefined }),
      onProgress: (step) => progress.push(step),
      ...more,
    },
  );
  return { answer, progress };
}

test.each(['SHUTTING_DOWN', 'ENGINE_CRASHED', 'GPU_OUT_OF_MEMORY'])(
  'a job that failed with %s is sent again',
  async (code) => {
    const { answer } = run();
    await work(failure(code), { output: RESULT });
    expect(await answer).toEqual(RESULT);
  },
);

test('a job that its workers lose for good is sent again, as often as allowed', async () => {
  const lost = { error: 'job timed out after 1 retries' };
  const { answer } = run(3);
  await work(lost, lost, lost);
  expect(await answer).toMatchObject({ error: { code: 'WORKER_LOST', retryable: true } });
  expect(endpoint.queue.jobs.size).toBe(3);
});

test.each(['AUDIO_UNDECODABLE', 'INPUT_INVALID', 'INTERNAL'])(
  'a job that failed with %s is not sent again',
  async (code) => {
    const { answer } = run();
    await work(failure(code));
    expect(await answer).toMatchObject({ error: { code } });
    expect(endpoint.queue.jobs.size).toBe(1);
  },
);

test('an answer that is no result is INTERNAL', async () => {
  const { answer } = run();
  await work({ output: { text: 'another program' } });
  expect(await answer).toMatchObject({ error: { code: 'INTERNAL' } });
});

test('progress never falls, also when a job begins anew', async () => {
  const { answer, progress } = run();
  const step = (fraction: number) => ({
    status: 'IN_PROGRESS',
    output: { stage: 'transcribe', fraction },
  });
  const first = await take();
  endpoint.queue.post('me', first.id, step(0.5));
  await expect.poll(() => progress.length).toBe(1);
  endpoint.queue.post('me', first.id, failure('SHUTTING_DOWN'));
  const second = await take();
  endpoint.queue.post('me', second.id, step(0.2));
  await expect.poll(() => endpoint.clientCalls.length).toBeGreaterThan(6);
  endpoint.queue.post('me', second.id, step(0.7));
  await expect.poll(() => progress.length).toBe(2);
  endpoint.queue.post('me', second.id, { output: RESULT });
  await answer;
  expect(progress.map(({ fraction }) => fraction)).toEqual([0.5, 0.7]);
});

/** Where a durable job runs, as the database would keep it. */
function remote(id: string | null) {
  const notes: (string | null)[] = [];
  return { notes, id, save: async (noted: string | null) => void notes.push(noted) };
}

test('a job that runs on the endpoint already is followed there, and not paid for twice', async () => {
  const sent = endpoint.queue.add(INPUT, {});
  const run1 = remote(sent.id);
  const { answer } = run(2, { remote: run1 });
  await work({ output: RESULT });
  expect(await answer).toEqual(RESULT);
  expect(endpoint.clientCalls).not.toContain('POST run');
  expect(run1.notes).toEqual([]);
});

test.each([
  ['was cancelled there', (job: QueuedJob) => void endpoint.queue.cancel(job.id)],
  ['is no longer known there', (job: QueuedJob) => void endpoint.queue.jobs.delete(job.id)],
])('a job that was sent before and %s is sent anew', async (_what, lose) => {
  const sent = endpoint.queue.add(INPUT, {});
  lose(sent);
  const kept = remote(sent.id);
  const { answer } = run(1, { remote: kept });
  await work({ output: RESULT });
  expect(await answer).toEqual(RESULT);
  expect(kept.notes).toEqual([null, expect.stringMatching(/^job-/)]);
});

test('what ended with a failure there is forgotten, so that another attempt sends the job', async () => {
  const kept = remote(null);
  const { answer } = run(1, { remote: kept });
  await work(failure('AUDIO_UNDECODABLE'));
  expect(await answer).toMatchObject({ error: { code: 'AUDIO_UNDECODABLE' } });
  expect(kept.notes).toEqual(['job-1', null]);
});

test.each([
  ['the process stops', new SttError('SHUTTING_DOWN', 'The test stops'), 'IN_PROGRESS'],
  ['another process has it', new TakenOver(), 'IN_PROGRESS'],
  ['its caller cancels it', new SttError('JOB_CANCELLED', 'No more'), 'CANCELLED'],
])(
  'a durable job of which %s is left or ended there as it should (%#)',
  async (_what, reason, status) => {
    const controller = new AbortController();
    const kept = remote(null);
    const { answer } = run(1, { remote: kept, signal: controller.signal });
    const job = await take();
    await expect.poll(() => kept.notes.length).toBe(1);
    controller.abort(reason);
    expect(await answer).toMatchObject({ error: { code: reason.code } });
    expect(endpoint.queue.jobs.get(job.id)?.status).toBe(status);
    expect(kept.notes).toEqual(status === 'CANCELLED' ? [job.id, null] : [job.id]);
  },
);

test('segments and the length of the audio come early, each once, also from a second worker', async () => {
  const segments: WireSegment[] = [];
  const audioSec: number[] = [];
  const { answer, progress } = run(2, {
    onSegments: (more) => segments.push(...more),
    onAudio: (sec) => audioSec.push(sec),
  });
  const segment = (start: number): WireSegment => ({
    ...{ start, end: start + 1, text: `number ${start}`, confidence: 1 },
  });
  const step = (fraction: number, first: number, ...latest: WireSegment[]) => ({
    status: 'IN_PROGRESS',
    output: { stage: 'transcribe', fraction, audio_sec: 2, segments: { first, latest } },
  });
  const first = await take();
  endpoint.queue.post('me', first.id, step(0.2, 0, segment(0), segment(1)));
  await expect.poll(() => segments.length).toBe(2);
  endpoint.queue.post('me', first.id, failure('SHUTTING_DOWN'));
  const second = await take();
  endpoint.queue.post('me', second.id, step(0.3, 0, segment(0)));
  await expect.poll(() => progress.length).toBe(2);
  endpoint.queue.post('me', second.id, step(0.4, 1, segment(1), segment(2)));
  await expect.poll(() => progress.length).toBe(3);
  endpoint.queue.post('me', second.id, { output: RESULT });
  expect(await answer).toEqual(RESULT);
  expect(segments.map(({ start }) => start)).toEqual([0, 1, 2]);
  expect(audioSec).toEqual([2]);
  expect(progress[0]).toEqual({ stage: 'transcribe', fraction: 0.2 });
});

test('when the day’s time on workers is used up nothing more is sent, and jobs that wait go on waiting', async () => {
  const spent: number[] = [];
  const usage = {
    addWorkerTime: async (_day: string, sec: number) => void spent.push(sec),
    workerSecOf: async () => spent.reduce((sum, sec) => sum + sec, 0),
  };
  const logger = createLogger('silent', { write: () => undefined });
  let nowMs = Date.UTC(2026, 10, 24, 23);
  const budget = await WorkerBudget.open({ maxSecPerDay: 0.05, usage, logger, now: () => nowMs });
  const { answer } = run(1, {}, budget);
  const job = await take();
  await new Promise((resolve) => setTimeout(resolve, 60));
  endpoint.queue.post('me', job.id, { output: RESULT });
  expect(await answer).toEqual(RESULT);
  expect(budget.isLeft).toBe(false);
  expect(await run(1, {}, budget).answer).toMatchObject({
    error: { code: 'BUDGET_EXCEEDED', retryable: true },
  });
  const window = new GatewayWindows({ target: endpoint.address, budget });
  await expectCode(window.recognize({ seq: 1 }, signal), 'BUDGET_EXCEEDED');
  expect(endpoint.queue.jobs.size).toBe(1);
  nowMs += 3_600_000;
  expect(budget.isLeft).toBe(true);
});

const window = (seq: number) => ({ task: 'stream', session_id: 's1', epoch: 1, seq });
const windows = (deadlineMs = 5000) =>
  new GatewayWindows({ target: endpoint.address, deadlineMs, retryMs: 10 });

test('a live window is one synchronous call that RunPod drops by itself when it is late', async () => {
  const answer = windows().recognize(window(1), signal);
  const job = await take();
  expect(job).toMatchObject({
    input: window(1),
    policy: { ttl: 10_000, executionTimeout: 5000 },
  });
  endpoint.queue.post('me', job.id, { output: { words: [] } });
  expect(await answer).toEqual({ words: [] });
  expect(endpoint.clientCalls).toEqual(['POST runsync']);
});

test('a window that is under way already is not sent twice, another one is', async () => {
  const gateway = windows();
  const answers = [window(1), window(1), window(2)].map((input) =>
    gateway.recognize(input, signal),
  );
  await work({ output: { seq: 1 } }, { output: { seq: 2 } });
  expect(await Promise.all(answers)).toEqual([{ seq: 1 }, { seq: 1 }, { seq: 2 }]);
  expect(endpoint.queue.jobs.size).toBe(2);
});

test('a window is sent again after a failure that another try may mend, and only then', async () => {
  endpoint.setDown(true);
  const answer = windows().recognize(window(1), signal);
  await expect.poll(() => endpoint.clientCalls.length).toBeGreaterThan(1);
  endpoint.setDown(false);
  await work(failure('SHUTTING_DOWN'), { output: { seq: 1 } });
  expect(await answer).toEqual({ seq: 1 });
  const superseded = windows().recognize(window(2), signal);
  await Promise.all([work(failure('JOB_CANCELLED')), expectCode(superseded, 'JOB_CANCELLED')]);
});

test('a window that nobody answers in time is QUEUE_TIMEOUT, one that is abandoned JOB_CANCELLED', async () => {
  await expectCode(windows(50).recognize(window(1), signal), 'QUEUE_TIMEOUT');
  const controller = new AbortController();
  const abandoned = windows().recognize(window(2), controller.signal);
  controller.abort();
  await expectCode(abandoned, 'JOB_CANCELLED');
});
