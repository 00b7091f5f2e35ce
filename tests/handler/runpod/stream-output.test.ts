import { setTimeout as wait } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { JobHandler } from '../../../handler/job.ts';
import type { Scenario } from '../../fakes/runpod-api.ts';
import { type RunningWorker, type Setup, startWorker } from './running-worker.ts';

const scenario: Scenario = {
  takes: [{ status: 200, body: { id: 'g1', input: {} } }],
  idle_delay: 3600,
};

const streaming = (...chunks: readonly unknown[]): JobHandler =>
  async function* () {
    yield* chunks;
  };

/** Runs one streaming job to its last post. */
async function finished(setup: Setup): Promise<RunningWorker> {
  const worker = await startWorker({ scenario, ...setup });
  await worker.api.until(() => worker.api.on('done').length > 0);
  await worker.stop();
  return worker;
}

const chunkBodies = ({ api }: RunningWorker): unknown[] =>
  api.on('stream').map(({ body }) => JSON.parse(body));

test('each chunk is posted as it comes, the last post says that it was a stream', async () => {
  const worker = await finished({ handler: streaming({ i: 0 }, 's1', null) });
  expect(chunkBodies(worker)).toEqual([{ output: { i: 0 } }, { output: 's1' }, { output: null }]);
  const path = '/v2/ep1/job-stream/pod42/g1?gpu=NVIDIA+RTX+A5000&isStream=false';
  for (const { url, headers } of worker.api.on('stream')) {
    expect(url).toBe(path);
    expect(headers).toMatchObject({ 'x-request-id': 'g1', charset: 'utf-8' });
  }
  expect(worker.api.on('done')[0]?.url).toMatch(/&isStream=true$/);
  expect(worker.api.posted('g1')).toEqual([{ output: [] }]);
});

test('without a stream URL of its own, a chunk still never reaches the result URL', async () => {
  const config = { postStreamUrl: undefined };
  const worker = await finished({ handler: streaming('a'), config });
  expect(chunkBodies(worker)).toEqual([{ output: 'a' }]);
  expect(worker.api.posted('g1')).toEqual([{ output: [] }]);
});

test('with the aggregate setting the last post repeats all chunks', async () => {
  const config = { aggregateStream: true };
  const worker = await finished({ handler: streaming('a', 'b'), config });
  expect(worker.api.posted('g1')).toEqual([{ output: ['a', 'b'] }]);
});

test('a chunk with an error ends the stream, and the handler is told to clean up', async () => {
  let isClean = false;
  const worker = await finished({
    handler: async function* () {
      try {
        yield 'a';
        yield { error: { code: 'X' } };
        yield 'never';
      } finally {
        isClean = true;
      }
    },
  });
  expect(chunkBodies(worker)).toEqual([{ output: 'a' }]);
  expect(worker.api.posted('g1')).toEqual([{ error: '{"code":"X"}' }]);
  expect(isClean).toBe(true);
});

test('a failing stream reports its message and stack', async () => {
  const worker = await finished({
    // biome-ignore lint/correctness/useYield: it fails before its first chunk.
    handler: async function* () {
      throw new Error('mid boom');
    },
  });
  const [body] = worker.api.posted('g1') as { error: string }[];
  expect(body?.error).toMatch(/^handler: mid boom \ntraceback: Error: mid boom\n\s+at /);
});

test('a chunk post is retried; one that stays lost is skipped and the stream goes on', async () => {
  const stream = [{ status: 500 }, { status: 200 }, { status: 400 }];
  const worker = await finished({
    scenario: { ...scenario, stream },
    handler: streaming('a', 'b', 'c'),
  });
  expect(chunkBodies(worker).map((body) => (body as { output: string }).output)).toEqual([
    'a',
    'a',
    'b',
    'c',
  ]);
  expect(worker.logs.filter(({ message }) => message === 'stream chunk lost')).toHaveLength(1);
  expect(worker.api.posted('g1')).toEqual([{ output: [] }]);
});

test('a chunk that is too large ends the stream with that error', async () => {
  const worker = await finished({
    handler: streaming('a', 'x'.repeat(2000), 'c'),
    config: { maxResultBytes: 1000 },
  });
  expect(chunkBodies(worker)).toEqual([{ output: 'a' }]);
  expect(worker.api.posted('g1')).toMatchObject([{ error: { code: 'RESULT_TOO_LARGE' } }]);
});

test('a stream that is stopped in the middle posts no more chunks and no result', async () => {
  let chunks = 0;
  const worker = await startWorker({
    scenario: {
      ...scenario,
      stop: [
        { status: 200, body: { jobsToStop: ['g1'] }, when: (api) => api.on('stream').length > 2 },
      ],
      stop_delay: 3600,
    },
    handler: async function* () {
      for (;;) {
        yield chunks;
        chunks += 1;
        await wait(20);
      }
    },
  });
  await worker.api.until(() => worker.api.on('take').length === 2);
  const posted = worker.api.on('stream').length;
  expect(posted).toBeGreaterThan(2);
  await wait(80);
  await worker.stop();
  expect(worker.api.on('stream')).toHaveLength(posted);
  expect(worker.api.on('done')).toEqual([]);
});
