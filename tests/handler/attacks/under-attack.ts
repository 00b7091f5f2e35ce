import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';

/**
 * Computing of this process, server and client together, which is what keeps others waiting: the attacks
 * took seconds of it. How long `/health` takes on a busy machine says more of the machine; it is told.
 */
const MAX_COMPUTING_MS = 1200;
const MAX_GROWTH_MB = 100;
const PROBE_MS = 10;
const MEBIBYTE = 1024 * 1024;

interface Harm {
  readonly slowestHealthMs: number;
  readonly computingMs: number;
  readonly grownMb: number;
}

/** Attacks the service, asking for its health all the while; tells the figures, and limits what it computes. */
export async function underAttack<Answer>(
  name: string,
  url: string,
  attack: () => Promise<Answer>,
): Promise<Answer> {
  await fetch(`${url}/health`); // A connection is open.
  const residentBefore = process.memoryUsage.rss();
  const before = process.cpuUsage();
  let isOver = false;
  const probing = slowestHealth(url, () => isOver);
  const answer = await attack();
  isOver = true;
  const slowestHealthMs = await probing;
  const { user, system } = process.cpuUsage(before);
  const harm: Harm = {
    slowestHealthMs: Math.round(slowestHealthMs),
    computingMs: Math.round((user + system) / 1000),
    grownMb: Math.round((process.memoryUsage.rss() - residentBefore) / MEBIBYTE),
  };
  process.stderr.write(`${name}: ${JSON.stringify(harm)}\n`);
  expect(harm.computingMs).toBeLessThan(MAX_COMPUTING_MS);
  expect(harm.grownMb).toBeLessThan(MAX_GROWTH_MB);
  return answer;
}

async function slowestHealth(url: string, isOver: () => boolean): Promise<number> {
  let slowestMs = 0;
  do {
    const startedAt = performance.now();
    const answer = await fetch(`${url}/health`);
    await answer.arrayBuffer();
    slowestMs = Math.max(slowestMs, performance.now() - startedAt);
    await sleep(PROBE_MS);
  } while (!isOver());
  return slowestMs;
}
