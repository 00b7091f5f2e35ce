import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Program, startProgram } from '../../fakes/program.ts';
import { RunpodEndpoint } from '../../fakes/runpod-endpoint.ts';
import { freePort, type RunningService, startService } from '../http/service-process.ts';
import { SpokenSession } from './spoken-session.ts';

const SPOKEN_SEC = 9;
let endpoint: RunpodEndpoint;
let folder: string;
let port: string;
let gateway: RunningService;
let worker: Program;

beforeAll(async () => {
  endpoint = await RunpodEndpoint.start({ lostAfterMs: 1500 });
  folder = await mkdtemp(join(tmpdir(), 'stt-killed-'));
  port = String(await freePort());
  worker = startWorker('pod1');
  gateway = await startGateway();
});
afterAll(async () => {
  for (const program of [gateway, worker]) await kill(program);
  await endpoint.close();
  await rm(folder, { recursive: true });
});

const startGateway = (): Promise<RunningService> =>
  startService({
    PORT: port,
    PUBLIC_URL: `http://127.0.0.1:${port}`,
    GATEWAY_ENDPOINT_ID: endpoint.address.endpointId,
    GATEWAY_API_KEY: endpoint.address.apiKey,
    GATEWAY_BASE_URL: endpoint.address.baseUrl,
    DATA_DIR: join(folder, 'data'),
    SPOOL_DIR: join(folder, 'spool'),
  });

const startWorker = (workerId: string): Program =>
  startProgram([], {
    env: {
      ...endpoint.workerEnvironment(workerId),
      RUNPOD_PING_INTERVAL: '200',
      RUNPOD_SKIP_AUTO_SYSTEM_CHECKS: 'true',
      SPOOL_DIR: join(folder, 'worker-spool'),
    },
  });

async function kill({ child, ended }: Program): Promise<void> {
  child.kill('SIGKILL');
  await ended;
}

test('a session whose worker is killed, whose socket is cut and whose gateway is killed equals one that nothing befell', async () => {
  const undisturbed = new SpokenSession(gateway.url, SPOKEN_SEC);
  await undisturbed.begin();
  await undisturbed.end();
  expect(undisturbed.words.slice(0, 3)).toEqual(['good', 'morning', 'everyone']);

  const session = new SpokenSession(gateway.url, SPOKEN_SEC);
  await session.begin();
  await session.speakUntil(3);
  await endpoint.queue.until(() => endpoint.queue.count('IN_PROGRESS') > 0);
  await kill(worker);
  await session.cut();
  worker = startWorker('pod2');
  await session.speakUntil(5).catch(() => undefined); // Into a socket that is not there.
  await session.comeBack();
  await session.client.hears('transcript_partial');
  await session.speakUntil(7);
  await session.client.hears('transcript_final'); // In the middle of a sentence.
  await kill(gateway);
  gateway = await startGateway();
  await session.comeBack();
  expect(await session.end()).toMatchObject({ reason: 'client', audio_duration: SPOKEN_SEC });
  expect(session.words).toEqual(undisturbed.words);
  const gaps = session.events.filter(({ type }) => type === 'transcript_gap');
  expect(gaps).toEqual([]);
});
