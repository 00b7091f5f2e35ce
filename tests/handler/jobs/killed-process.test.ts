import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { Webhook } from 'standardwebhooks';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { JobSubmission } from '../../../handler/jobs/contracts.ts';
import { openStore } from '../../../handler/store/open-store.ts';
import { type LoopbackServer, startLoopbackServer } from '../../fakes/loopback-server.ts';
import { PROJECT_ROOT } from '../../fakes/program.ts';
import { type PostgresServer, postgresMissing, startPostgres } from './postgres-server.ts';

const SECRET = `whsec_${Buffer.from('a secret for tests, 24+ b').toString('base64')}`;
const JOBS = 12;

const folder = mkdtempSync(join(tmpdir(), 'stt-killed-'));
const messages = new Map<string, number>();
let receiver: LoopbackServer;
let postgres: PostgresServer | undefined;
beforeAll(async () => {
  if (postgresMissing === undefined) postgres = await startPostgres();
  receiver = await startLoopbackServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => (body += chunk));
    request.on('end', () => {
      const headers = Object.fromEntries(
        Object.entries(request.headers).map(([name, value]) => [name, String(value)]),
      );
      new Webhook(SECRET).verify(body, headers);
      const id = headers['webhook-id']!;
      messages.set(id, (messages.get(id) ?? 0) + 1);
      response.writeHead(204).end();
    });
  });
});
afterAll(async () => {
  await receiver.close();
  await postgres?.stop();
  rmSync(folder, { recursive: true, force: true });
});

interface Answer {
  readonly accepted?: string;
  readonly counts?: Record<string, number>;
}

async function startProcess(env: Record<string, string>): Promise<ChildProcess> {
  const child = fork(join(PROJECT_ROOT, 'tests/fixtures/async-jobs-process.ts'), {
    execArgv: ['--import', join(PROJECT_ROOT, 'scripts/typescript.mjs')],
    env: { PATH: process.env['PATH'], WEBHOOK_SECRETS: SECRET, ...env },
  });
  await once(child, 'message');
  return child;
}

async function ask(child: ChildProcess, message: JobSubmission | 'counts'): Promise<Answer> {
  const answered = once(child, 'message');
  child.send(message);
  const [answer] = await answered;
  return answer;
}

function recording(dataDir: string, index: number): { path: string; bytes: number } {
  const path = join(dataDir, `recording-${index}`);
  writeFileSync(path, 'recording');
  return { path, bytes: 9 };
}

/** Every other job comes with a recording if there is a folder for them. */
async function submitAll(child: ChildProcess, dataDir?: string): Promise<string[]> {
  const accepted: string[] = [];
  for (let index = 0; index < JOBS; index += 1) {
    const upload = dataDir === undefined || index % 2 === 1 ? null : recording(dataDir, index);
    const input = { audio_url: 'https://example.com/a.wav' };
    const tenant = index % 3 === 0 ? 'a' : 'b';
    const answer = await ask(child, {
      job: { id: `job-${index}`, tenant, input, upload },
      webhookUrl: receiver.url,
      idempotencyKey: `key-${index}`,
    });
    accepted.push(answer.accepted!);
  }
  return accepted;
}

async function untilSettled(child: ChildProcess): Promise<void> {
  for (;;) {
    const { counts } = await ask(child, 'counts');
    if (counts?.['queued'] === 0 && counts['running'] === 0) return;
    await wait(50);
  }
}

const kill = async (child: ChildProcess, signal: NodeJS.Signals): Promise<void> => {
  const ended = once(child, 'exit');
  child.kill(signal);
  await ended;
};

const runsIn = (...logs: string[]): string[] =>
  logs
    .filter((path) => existsSync(path))
    .flatMap((path) => readFileSync(path, 'utf8').trim().split('\n'));

const filesBelow = (folder: string) =>
  readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());

test('after kill -9 every accepted job ends in one result and one announced message', async () => {
  messages.clear();
  const dataDir = join(folder, 'single');
  mkdirSync(dataDir);
  const env = { DATA_DIR: dataDir, JOB_MS: '150' };
  const first = await startProcess(env);
  const accepted = await submitAll(first, dataDir);
  expect(new Set(accepted).size).toBe(JOBS);
  await kill(first, 'SIGKILL');
  const before = runsIn(join(dataDir, 'runs.log'));
  const begun = before.filter((line) => line.startsWith('begin')).length;
  expect(begun).toBeGreaterThan(0);
  expect(begun).toBeLessThan(JOBS);

  const second = await startProcess(env);
  const repeated = await submitAll(second, dataDir); // a client that did not see the answers
  expect(repeated).toEqual(accepted);
  await untilSettled(second);
  while (messages.size < JOBS) await wait(20);
  await kill(second, 'SIGTERM');

  const settings = { dataDir, databaseUrl: undefined, retentionMs: 0, leaseMs: 0 };
  const store = await openStore(settings, () => undefined);
  const counts = { queued: 0, running: 0, completed: JOBS, failed: 0, cancelled: 0 };
  expect(await store.jobs.countByState()).toEqual(counts);
  for (const [index, id] of accepted.entries()) {
    const row = await store.jobs.get(index % 3 === 0 ? 'a' : 'b', id);
    expect(row).toMatchObject({ state: 'completed', output: { audio_duration: 4 } });
  }
  await store.close();
  expect([...messages.keys()].toSorted()).toEqual(accepted.map((id) => `msg_${id}`).toSorted());
  expect(filesBelow(join(dataDir, 'uploads'))).toEqual([]);
});

const title =
  'two gateways share a queue and its recordings without double runs, and one takes over when the other dies';
test.skipIf(postgresMissing !== undefined)(
  postgresMissing === undefined ? title : `${title} (skipped: ${postgresMissing})`,
  async () => {
    messages.clear();
    const dataDir = join(folder, 'shared');
    mkdirSync(dataDir);
    const [logA, logB] = [join(dataDir, 'a.log'), join(dataDir, 'b.log')] as const;
    const env = {
      DATABASE_URL: postgres!.createDatabase(),
      DATA_DIR: dataDir,
      LEASE_MS: '1000',
      JOB_MS: '150',
    };
    const [a, b] = await Promise.all([
      startProcess({ ...env, RUNS_LOG: logA }),
      startProcess({ ...env, RUNS_LOG: logB }),
    ]);
    const accepted = await submitAll(a, dataDir);
    while (!runsIn(logB).some((line) => line.startsWith('end'))) await wait(10);
    await kill(a, 'SIGKILL');
    await untilSettled(b);
    while (messages.size < JOBS) await wait(20);
    await kill(b, 'SIGTERM');

    const ended = runsIn(logA, logB).filter((line) => line.startsWith('end'));
    const begunByB = runsIn(logB).filter((line) => line.startsWith('begin'));
    expect(new Set(ended).size).toBe(JOBS);
    expect(new Set(begunByB).size).toBe(begunByB.length);
    const withRecording = accepted.filter((_, index) => index % 2 === 0);
    expect(
      begunByB.filter((line) => withRecording.includes(line.slice('begin '.length))),
    ).not.toEqual([]);
    const endedByA = new Set(runsIn(logA).filter((line) => line.startsWith('end')));
    const twice = ended.filter((line) => endedByA.has(line)).length - endedByA.size;
    expect(twice).toBeLessThanOrEqual(4); // what A ended in its last moments and could not store
    expect(runsIn(logA).length).toBeGreaterThan(0);
    expect([...messages.keys()].toSorted()).toEqual(accepted.map((id) => `msg_${id}`).toSorted());
    expect(filesBelow(join(dataDir, 'uploads'))).toEqual([]);
  },
);
