import { setTimeout as wait } from 'node:timers/promises';
import { parentPort, workerData } from 'node:worker_threads';
import { ApiClient } from './api-client.ts';
import type { HeartbeatSettings } from './heartbeat.ts';
import { pingUrl } from './urls.ts';

/** The body of the heartbeat's own thread: its clock ticks while the main thread computes. */
const settings: HeartbeatSettings = workerData;
const client = new ApiClient(settings.apiKey, settings.agentName);
let jobIds: readonly string[] = [];

parentPort?.on('message', (ids: readonly string[]) => {
  jobIds = ids;
});

async function pingOnce(): Promise<number | undefined> {
  const url = pingUrl(settings.pingBase, jobIds, settings.protocolVersion);
  return await client.get(url, 2 * settings.intervalMs).catch(() => undefined);
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

while (true) {
  await ping();
  await wait(settings.intervalMs);
}
