import { setTimeout as wait } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { JobHandler, JobProgress } from '../../../handler/job.ts';
import {
  type ComparableRequest,
  hasRecordings,
  loadScenario,
  loadTrace,
  recordingsNote,
} from './lab.ts';
import {
  doneFor,
  expectSamePings,
  expectSamePolls,
  modeOf,
  ours,
  recordedPings,
  replay,
  seconds,
  sleeping,
  TIME_SCALE,
} from './replay.ts';
import { echo } from './running-worker.ts';

/** Deviation: `error_type` is the JS class, the trace is a JS stack, the version is the worker's. */
function comparableError(body: unknown): unknown {
  if (typeof body !== 'object' || body === null || !('error' in body)) return body;
  const { error } = body;
  if (typeof error !== 'string' || !error.startsWith('{')) return body;
  const { error_message, hostname, worker_id, ...rest } = JSON.parse(error);
  return { error: { error_message, hostname, worker_id, keys: Object.keys(rest).sort() } };
}

const withComparableErrors = (requests: readonly ComparableRequest[]): ComparableRequest[] =>
  requests.map((request) => ({ ...request, body: comparableError(request.body) }));

const HALF_WAY: JobProgress = { stage: 'decoding', fraction: 0.5 };

const basicHandler: JobHandler = async (job, context) => {
  const outputs: Record<string, unknown> = {
    error: { error: 'bad', x: 1 },
    errlist: { error: ['a is a required input.'] },
    refresh: { refresh_worker: true, x: 1 },
    none: null,
    empty: {},
    uni: { text: 'xin chào' },
  };
  const { mode = 'echo' } = modeOf(job.input);
  if (mode === 'raise') throw new RangeError('boom');
  if (mode === 'progress') {
    context.onProgress(HALF_WAY);
    await wait(seconds(1));
    return 'done';
  }
  return mode in outputs ? outputs[mode] : await echo(job, context);
};

async function* chunks(mode: string | undefined): AsyncGenerator<unknown> {
  yield { i: 0 };
  if (mode === 'raise') throw new Error('mid boom');
  if (mode === 'errdict') yield { error: 'soft err' };
  yield 's1';
  yield 2;
}
const streaming: JobHandler = (job) => chunks(modeOf(job.input).mode);

test.runIf(hasRecordings)(`basic: every shape of a result${recordingsNote}`, async () => {
  const worker = await replay('basic', { handler: basicHandler });
  await worker.api.until(() => worker.api.on('take').length >= 18);
  expect(await worker.stop()).toBe(0);

  expectSamePolls(worker, 'basic', 18);
  const recorded = withComparableErrors(loadTrace('basic', 'done'));
  // Deviation: progress is our own {stage, fraction}.
  recorded[8] = { ...recorded[8]!, body: { status: 'IN_PROGRESS', output: HALF_WAY } };
  // Deviation: the SDK drops a job without input, which then hangs until it times out.
  const refusal = { code: 'INPUT_INVALID', message: 'The job has no input', retryable: false };
  recorded.splice(10, 0, doneFor('noinput', { error: refusal }));
  expect(withComparableErrors(ours(worker, 'done'))).toEqual(recorded);
  expectSamePings(worker, recordedPings('basic'));
});

test.runIf(hasRecordings)(
  `conc: batches, single takes, one job stopped${recordingsNote}`,
  async () => {
    const timeScale = 0.5;
    const worker = await replay('conc', {
      handler: sleeping((slept) => ({ slept }), timeScale),
      config: { concurrency: 3 },
      api: { timeScale, holdPollsUntilPing: true },
      // Deviation: the SDK waits a second after every take. The stand-in's answers wait instead,
      // so that c2 is stopped before c3 arrives and c3 ends after c1, as in the recording.
      script: {
        takes: [
          { status: 200, body: loadScenario('conc').takes?.[0]?.body },
          { status: 204, delay: 2 },
          { status: 200, delay: 0.5, body: { id: 'c3', input: { mode: 'sleep', s: 1 } } },
        ],
        idle_delay: 2,
      },
    });
    await worker.api.until(() => worker.api.on('take').length >= 5);
    expect(await worker.stop()).toBe(0);

    expectSamePolls(worker, 'conc', 5);
    expect(ours(worker, 'done')).toEqual(loadTrace('conc', 'done'));
    expectSamePings(worker, recordedPings('conc'));
  },
);

test.runIf(hasRecordings)(`donefail: results that are not accepted${recordingsNote}`, async () => {
  const worker = await replay('donefail', { handler: echo });
  await worker.api.until(() => worker.api.on('take').length >= 7);
  expect(await worker.stop()).toBe(0);

  const [first, second, third, d2, d3] = loadTrace('donefail', 'done');
  const rejected = { code: 'INTERNAL', message: 'Result rejected: HTTP 400', retryable: false };
  expect(ours(worker, 'done')).toEqual([
    first,
    second,
    third,
    // Deviation: after three attempts the SDK gives up; the script's 400 meets our fourth.
    first,
    // Deviation: a rejected body is replaced by a small error; its first attempt is dropped.
    doneFor('d1', { error: rejected }),
    // Deviation: connections that break are retried too.
    doneFor('d1', { error: rejected }),
    d2,
    d3,
  ]);
  expectSamePolls(worker, 'donefail', 7);
  // Deviation: with our fast retries a ping may miss d1, which the recording shows.
  expectSamePings(worker, recordedPings('donefail', ['d1']));
});

for (const { name, aggregateStream } of [
  { name: 'gen', aggregateStream: false },
  { name: 'genagg', aggregateStream: true },
]) {
  const title = `${name}: a stream, its failure and its error${recordingsNote}`;
  test.runIf(hasRecordings)(title, async () => {
    const worker = await replay(name, { handler: streaming, config: { aggregateStream } });
    await worker.api.until(() => worker.api.on('take').length >= 4);
    expect(await worker.stop()).toBe(0);

    expectSamePolls(worker, name, 4);
    expect(ours(worker, 'stream')).toEqual(loadTrace(name, 'stream'));
    const [g1, g2, g3] = ours(worker, 'done');
    const [recordedG1, recordedG2, recordedG3] = loadTrace(name, 'done');
    expect([g1, g3]).toEqual([recordedG1, recordedG3]);
    // Deviation: the trace is a JS stack.
    const start = 'handler: mid boom \ntraceback: ';
    const failed = { error: expect.stringContaining(start) };
    expect(recordedG2?.body).toEqual(failed);
    expect(g2).toEqual({ ...recordedG2, body: failed });
    expectSamePings(worker, recordedPings(name, ['g1', 'g2', 'g3']));
  });
}

test.runIf(hasRecordings)(`ser: outputs that JSON cannot hold${recordingsNote}`, async () => {
  const outputs: Record<string, unknown> = {
    unser: { when: 1n },
    nan: { x: Number.NaN },
    emptyerr: { error: '', x: 1 },
    big: { text: 'x'.repeat(25_000_000) },
    bool: true,
    list: [1, 2],
  };
  const worker = await replay('ser', {
    handler: async (job) => outputs[modeOf(job.input).m ?? ''],
    heartbeat: false,
    api: { timeScale: TIME_SCALE },
  });
  await worker.api.until(() => worker.api.on('take').length >= 7);
  expect(await worker.stop()).toBe(0);

  // There is no trace of this one, only the report's words: the expectations are written out.
  const unwritable = 'The output cannot be written as JSON';
  const tooLarge = 'Result has 25000022 bytes, allowed are 20971520';
  expect(ours(worker, 'done')).toEqual([
    // Deviation: the SDK posts nothing and the job hangs until it times out.
    doneFor('s1', { error: { code: 'INTERNAL', message: unwritable, retryable: false } }),
    // Deviation: the SDK writes the token NaN, which is not JSON.
    doneFor('s2', { output: { x: null } }),
    doneFor('s3', { output: { x: 1 } }),
    // Deviation: the SDK sends 25 MB.
    doneFor('s4', { error: { code: 'RESULT_TOO_LARGE', message: tooLarge, retryable: false } }),
    doneFor('s5', { output: true }),
    doneFor('s6', { output: [1, 2] }),
  ]);
});
