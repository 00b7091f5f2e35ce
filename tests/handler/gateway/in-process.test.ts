import { afterEach, beforeEach, expect, test } from 'vitest';
import { createLogger } from '../../../core/logger.ts';
import { GatewayExecutor } from '../../../handler/gateway/gateway-executor.ts';
import { GatewayWindows } from '../../../handler/gateway/gateway-windows.ts';
import type { JobProgress } from '../../../handler/job.ts';
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

function run(maxAttempts = 2) {
  const executor = new GatewayExecutor({
    target: {
      ...endpoint.address,
      polling: { firstWaitMs: 5, longestWaitMs: 20 },
      limits: { maxQueueMs: 60_000, maxJobMs: 60_000 },
    },
    handover: { store: undefined, audio: { root: undefined, maxBytes: 1e6, spoolDir: undefined } },
    maxAttempts,
  });
  const progress: JobProgress[] = [];
  const answer = executor.execute(
    { id: 'j1', tenant: null, input: INPUT, upload: null },
    {
      signal,
      logger: createLogger('silent', { write: () => undefined }),
      onProgress: (step) => progress.push(step),
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
