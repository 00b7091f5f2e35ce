import { request as requestPlain } from 'node:http';
import { request as requestSecure } from 'node:https';
import { setTimeout as wait } from 'node:timers/promises';
import { parentPort, workerData } from 'node:worker_threads';
import type { HeartbeatSettings } from './heartbeat.ts';
import { pingUrl } from './urls.ts';

/**
 * The body of the heartbeat's own thread: its clock ticks while the main thread computes.
 * Node's own HTTP client keeps its start at a fifth of a second, where undici's takes three.
 */
const settings: HeartbeatSettings = workerData;
let jobIds: readonly string[] = [];

parentPort?.on('message', (ids: readonly string[]) => {
  jobIds = ids;
});

function pingOnce(): Promise<number | undefined> {
  const url = pingUrl(settings.pingBase, jobIds, settings.protocolVersion);
  const request = url.startsWith('https:') ? requestSecure : requestPlain;
  const signal = AbortSignal.timeout(2 * settings.intervalMs);
  return new Promise((resolve) => {
    request(url, { headers: settings.headers, signal }, (response) => {
      response.on('error', () => resolve(undefined));
      response.on('end', () => resolve(response.statusCode));
      response.resume();
    })
      .on('error', () => resolve(undefined))
      .end();
  });
}

const RETRIED_STATUSES: readonly (number | undefined)[] = [undefined, 429, 500, 502, 503, 504];

async function ping(): Promise<void> {
  let status = await pingOnce();
  for (const waitMs of settings.retryMs) {
    if (!RETRIED_STATUSES.includes(status)) return;
    await wait(waitMs);
    status = await pingOnce();
  }
  if (RETRIED_STATUSES.includes(status)) parentPort?.postMessage({ status });
}

async function beat(): Promise<never> {
  while (true) {
    await ping();
    await wait(settings.intervalMs);
  }
}

void beat();
