import { setTimeout as wait } from 'node:timers/promises';
import { expect } from 'vitest';
import type { JobHandler } from '../../../handler/job.ts';
import type { Channel, Scenario } from '../../fakes/runpod-api.ts';
import { type ComparableRequest, collapse, comparable, loadScenario, loadTrace } from './lab.ts';
import { type RunningWorker, type Setup, startWorker } from './running-worker.ts';

/** The recordings' seconds, shortened. */
export const TIME_SCALE = 0.2;
export const seconds = (count: number): number => count * 1000 * TIME_SCALE;

export interface Replay extends Omit<Setup, 'scenario'> {
  /** Changes of the recorded script; each use says why. */
  readonly script?: Partial<Scenario>;
}

export async function replay(
  name: string,
  { script, ...setup }: Replay = {},
): Promise<RunningWorker> {
  return await startWorker({
    heartbeat: true,
    api: { timeScale: TIME_SCALE, holdPollsUntilPing: true },
    ...setup,
    scenario: { ...loadScenario(name), ...script },
  });
}

export const ours = (worker: RunningWorker, channel: Channel): ComparableRequest[] =>
  worker.api.on(channel).map(comparable);

/** Takes and stop polls go on for ever: as many as the script answers, and the one after. */
export function expectSamePolls(worker: RunningWorker, name: string, count: number): void {
  const recordedTakes = loadTrace(name, 'take');
  const takes = Math.min(count, recordedTakes.length);
  expect(ours(worker, 'take').slice(0, takes)).toEqual(recordedTakes.slice(0, takes));
  const stops = new Set(loadTrace(name, 'stop').map(({ request }) => request));
  expect(new Set(ours(worker, 'stop').map(({ request }) => request))).toEqual(stops);
  expect(ours(worker, 'stop')[0]).toEqual(loadTrace(name, 'stop')[0]);
}

/**
 * Pings sample the held jobs, so a short job may be seen or not: every other recorded one is
 * there in its order, and each of ours is built like a recorded one.
 */
export function expectSamePings(worker: RunningWorker, recorded: readonly string[]): void {
  const seen = collapse(worker.api.on('ping').map(({ url }) => url));
  const missing: string[] = [];
  let from = 0;
  for (const url of recorded) {
    const index = seen.indexOf(url, from);
    if (index < 0) missing.push(url);
    else from = index + 1;
  }
  expect(missing).toEqual([]);
  for (const { url, headers } of worker.api.on('ping')) {
    expect(url).toMatch(
      /^\/v2\/ep1\/ping\/pod42\?gpu=NVIDIA\+RTX\+A5000(&job_id=[\w%-]+)?&runpod_version=1\.12\.0$/,
    );
    expect(headers).toMatchObject({ authorization: 'KEY123' });
    expect(headers).not.toHaveProperty('content-type');
  }
}

/** The distinct pings of a recording; an idle end is what the SDK sends while it waits to leave. */
export function recordedPings(name: string, shortJobs: readonly string[] = []): string[] {
  const all = loadTrace(name, 'ping').map(({ request }) => request.replace('GET ', ''));
  const sampled = all.filter((url) => !shortJobs.some((id) => url.includes(`job_id=${id}&`)));
  const distinct = collapse(sampled);
  return distinct.at(-1)?.includes('job_id') ? distinct : distinct.slice(0, -1);
}

export const doneFor = (jobId: string, body: unknown): ComparableRequest => ({
  request: `POST /v2/ep1/job-done/pod42/${jobId}?gpu=NVIDIA+RTX+A5000&isStream=false`,
  headers: {
    authorization: 'KEY123',
    'content-type': 'application/x-www-form-urlencoded',
    charset: 'utf-8',
    'x-request-id': jobId,
    accept: '*/*',
  },
  body,
});

export const modeOf = (input: unknown): { mode?: string; m?: string; s?: number } => {
  if (typeof input === 'object' && input !== null) return input;
  throw new TypeError("'NoneType' object has no attribute 'get'");
};

export const sleeping =
  (output: (durationSec: number) => unknown, timeScale = TIME_SCALE): JobHandler =>
  async (job, { signal }) => {
    const { s = 0 } = modeOf(job.input);
    await wait(s * 1000 * timeScale, undefined, { signal });
    return output(s);
  };
