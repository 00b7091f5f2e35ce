import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { RecordedRequest } from '../../fakes/runpod-api.ts';
import { hasRecordings, loadTrace, recordingsNote, scenarioNames } from './lab.ts';
import {
  doneFor,
  expectSamePings,
  expectSamePolls,
  ours,
  recordedPings,
  replay,
  seconds,
  sleeping,
  TIME_SCALE,
} from './replay.ts';
import { echo } from './running-worker.ts';

test.runIf(hasRecordings)(`race: a poll that a shutdown interrupts${recordingsNote}`, async () => {
  const worker = await replay('race', { handler: echo });
  await worker.api.until(() => worker.api.on('ping').length >= 4);
  expect(await worker.stop()).toBe(0);

  expectSamePolls(worker, 'race', 1);
  // Deviation: the SDK lets the poll bring the job, then leaves without running it; we end the poll.
  expect(worker.api.handedOut).toEqual([]);
  expect(loadTrace('race', 'done')).toEqual([]);
  expect(ours(worker, 'done')).toEqual([]);
  expectSamePings(worker, recordedPings('race'));
});

test.runIf(hasRecordings)(
  `race: a job that arrives just then is run${recordingsNote}`,
  async () => {
    const worker = await replay('race', {
      handler: echo,
      timing: { pollGraceMs: seconds(20) },
      heartbeat: false,
      api: { timeScale: TIME_SCALE },
    });
    await worker.api.until(() => worker.api.on('take').length >= 1);
    expect(await worker.stop()).toBe(0);

    expectSamePolls(worker, 'race', 1);
    // Deviation: the SDK loses this job; we run it.
    const output = { echo: { s: 1 }, jobkeys: ['id', 'input'] };
    expect(ours(worker, 'done')).toEqual([doneFor('late1', { output })]);
  },
);

test.runIf(hasRecordings)(
  `refresh: a worker that asks to be replaced${recordingsNote}`,
  async () => {
    const handler = sleeping(() => ({ ok: true }));
    const worker = await replay('refresh', { handler, config: { refreshWorker: true } });
    expect(await worker.exitCode).toBe(0);

    expectSamePolls(worker, 'refresh', 1);
    expect(ours(worker, 'take')).toHaveLength(1);
    expect(ours(worker, 'done')).toEqual(loadTrace('refresh', 'done'));
    expectSamePings(worker, recordedPings('refresh'));
  },
);

test.runIf(hasRecordings)(`takedrop: a platform that fails${recordingsNote}`, async () => {
  // Deviation: the SDK asks again at once, seven times in ten milliseconds; we back off.
  const worker = await replay('takedrop', { handler: echo });
  const { api } = worker;
  await api.until(
    () => api.on('take').length >= 8 && api.on('stop').length >= 4 && api.on('ping').length >= 5,
  );
  expect(await worker.stop()).toBe(0);

  expectSamePolls(worker, 'takedrop', 8);
  expect(ours(worker, 'stop').slice(0, 4)).toEqual(loadTrace('takedrop', 'stop').slice(0, 4));
  expect(ours(worker, 'done')).toEqual(loadTrace('takedrop', 'done'));
  expectSamePings(worker, recordedPings('takedrop'));
  expectRetried(api.on('ping'), 4, [0, 20, 40]);
  expectRetried(api.on('take'), 7, [3.75, 7.5, 15, 30, 30, 30]);
});

/** The first requests follow each other after at least these waits. */
function expectRetried(
  requests: readonly RecordedRequest[],
  count: number,
  waitsMs: readonly number[],
): void {
  const times = requests.slice(0, count).map(({ atMs }) => atMs);
  for (const [index, waitMs] of waitsMs.entries()) {
    expect(times[index + 1]! - times[index]!).toBeGreaterThanOrEqual(waitMs - 2);
  }
}

for (const { name, output } of [
  { name: 'term_async', output: (slept: number) => ({ slept }) },
  { name: 'term_sync', output: () => ({ ok: true }) },
]) {
  const title = `${name}: a shutdown in the middle of a job${recordingsNote}`;
  test.runIf(hasRecordings)(title, async () => {
    const worker = await replay(name, { handler: sleeping(output) });
    await worker.api.until(() =>
      worker.api.on('ping').some(({ url }) => url.includes('job_id=t1')),
    );
    expect(await worker.stop()).toBe(0);

    expectSamePolls(worker, name, 1);
    expect(ours(worker, 'take')).toHaveLength(1);
    expect(ours(worker, 'done')).toEqual(loadTrace(name, 'done'));
    // Deviation: a second, idle pinger of the SDK's parent process shows up in term_sync.
    const pings = [...new Set(recordedPings(name))];
    expectSamePings(worker, pings);
  });
}

test.runIf(hasRecordings)(`term_idle: a shutdown without jobs${recordingsNote}`, async () => {
  const worker = await replay('term_idle', { api: { timeScale: 10, holdPollsUntilPing: true } });
  const { api } = worker;
  await api.until(() => api.on('ping').length >= 3 && api.on('stop').length > 0);
  const askedAt = performance.now();
  expect(await worker.stop()).toBe(0);

  // Deviation: the SDK leaves when its polls return, up to 90 s later; we end them. Here they
  // would take 50 s and more.
  expect(performance.now() - askedAt).toBeLessThan(20_000);
  expectSamePolls(worker, 'term_idle', 1);
  expect(ours(worker, 'take')).toHaveLength(1);
  expect(ours(worker, 'done')).toEqual([]);
  expectSamePings(worker, recordedPings('term_idle'));
});

test.runIf(hasRecordings)(`unfit: a machine with too little memory${recordingsNote}`, async () => {
  const worker = await replay('unfit', {
    config: { skipSystemChecks: false, minMemoryGb: 9999 },
  });
  expect(await worker.exitCode).toBe(1);

  expect(worker.api.requests).toHaveLength(1);
  // The recording filled `gpu` with another value.
  const [recorded] = loadTrace('unfit', 'ping');
  expect(recorded?.request).toContain('?gpu=G&status=unhealthy&check=_memory_check&reason=');
  const url = worker.api.on('ping')[0]?.url ?? '';
  const query = (text: string): URLSearchParams => new URLSearchParams(text.split('?')[1]);
  const [mine, theirs] = [query(url), query(recorded?.request ?? '')];
  expect([...mine.keys()]).toEqual([...theirs.keys()]);
  expect(mine.get('status')).toBe(theirs.get('status'));
  expect(mine.get('runpod_version')).toBe(theirs.get('runpod_version'));
  // Deviation: our own names and words; spaces are written the same way.
  expect(mine.get('check')).toBe('memory');
  expect(url).toMatch(/&reason=Insufficient\+memory%3A\+[\d.]+\+GB\+available%2C\+9999\+GB/);
});

test.runIf(hasRecordings)(`every recorded scenario is replayed${recordingsNote}`, () => {
  const sources = ['recorded-results', 'recorded-life-cycle'].map((name) =>
    readFileSync(new URL(`./${name}.test.ts`, import.meta.url), 'utf8'),
  );
  const unused = scenarioNames().filter((name) => !sources.join('').includes(`'${name}'`));
  expect(unused).toEqual([]);
});
