import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type LoopbackServer, startLoopbackServer } from '../../fakes/loopback-server.ts';
import { freePort, type RunningService, startService } from '../http/service-process.ts';
import { SpokenSession } from './spoken-session.ts';

const SPOKEN_SEC = 9;
let folder: string;
let port: string;
let service: RunningService;
let receiver: LoopbackServer;
const announced: unknown[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'stt-killed-'));
  port = String(await freePort());
  receiver = await startLoopbackServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => (body += chunk));
    request.on('end', () => {
      announced.push(JSON.parse(body));
      response.writeHead(204).end();
    });
  });
  service = await start();
});
afterAll(async () => {
  service.child.kill('SIGKILL');
  await service.ended;
  await receiver.close();
  await rm(folder, { recursive: true });
});

const start = (): Promise<RunningService> =>
  startService({
    PORT: port,
    DATA_DIR: join(folder, 'data'),
    SPOOL_DIR: join(folder, 'spool'),
    REALTIME_KEEP_AUDIO: 'true',
    WEBHOOK_SECRETS: `whsec_${Buffer.from('of the test of live jobs').toString('base64')}`,
    ALLOW_HTTP_URLS: 'true',
    ALLOW_PRIVATE_URLS: 'true',
  });

async function killAndRestart(): Promise<void> {
  service.child.kill('SIGKILL');
  await service.ended;
  service = await start();
}

const jobsOf = async (): Promise<Record<string, unknown>[]> => {
  const answer = (await (await fetch(`${service.url}/stt/jobs`)).json()) as { jobs: [] };
  return answer.jobs;
};

test('a service that is killed in mid-session loses no word of it, and owes one refined transcript', async () => {
  const undisturbed = new SpokenSession(service.url, SPOKEN_SEC);
  await undisturbed.begin();
  await undisturbed.end();
  const refined = await undisturbed.client.hears('transcript_refined');
  expect(refined).toMatchObject({ status: 'completed', error: null });

  const killed = new SpokenSession(service.url, SPOKEN_SEC, { webhook_url: receiver.url });
  await killed.begin();
  await killed.speakUntil(5);
  await killed.client.hears('transcript_partial');
  await killed.speakUntil(7);
  await killed.client.hears('transcript_final'); // In the middle of a sentence.
  await killAndRestart();
  await killed.comeBack();
  const { job_id, audio_duration } = await killed.end();
  expect(audio_duration).toBe(SPOKEN_SEC);
  expect(killed.words).toEqual(undisturbed.words);
  expect(killed.words.slice(0, 3)).toEqual(['good', 'morning', 'everyone']);
  const seqs = killed.events.map(({ event_seq }) => event_seq);
  expect(seqs).toEqual(seqs.map((_, index) => index + 1));

  await killAndRestart(); // Between the end and the result.
  const job = async () =>
    (await (await fetch(`${service.url}/stt/jobs/${String(job_id)}`)).json()) as {
      status: string;
      result: { transcript: string; audio_duration: number };
    };
  await expect.poll(async () => (await job()).status, { timeout: 20_000 }).toBe('completed');
  const { result } = await job();
  expect(result).toMatchObject({ audio_duration: SPOKEN_SEC });
  expect(result.transcript).toMatch(/^Good morning everyone/);
  expect((await jobsOf()).map(({ job_id: id }) => id)).toEqual([job_id, refined['job_id']]);
  await expect.poll(() => announced.length, { timeout: 10_000 }).toBe(1);
  expect(announced).toMatchObject([{ type: 'job.completed', data: { job_id } }]);
  await expect.poll(() => readdir(join(folder, 'data/realtime'))).toHaveLength(1);
});
