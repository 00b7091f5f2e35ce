import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { hashKey } from '../handler/tenants/key-ring.ts';
import { LoadClient, type Outcome } from './load-client.ts';
import {
  completedJobs,
  endService,
  type LoadedService,
  peakMbOf,
  type ServiceSample,
  sampleService,
  startLoadedService,
} from './load-service.ts';
import { type Receiver, startReceiver } from './webhook-receiver.ts';

/**
 * Many uploads of the sample at once into the whole service on embedded models: first waited for,
 * then as jobs, then as jobs of which some come while the process is killed and started again. Ends
 * with status 1 where a job was lost, done or announced twice, where there was an error that no limit
 * explains, where memory went above its limit, or where the event loop was held up.
 * `npm run bench:load -- --uploads 100 --killed 24`
 */
const { values } = parseArgs({
  options: {
    uploads: { type: 'string', default: '100' },
    killed: { type: 'string', default: '24' },
    phases: { type: 'string', default: 'sync,async,kill' },
    concurrency: { type: 'string' },
    'max-mb': { type: 'string', default: '2000' },
    'max-delay-ms': { type: 'string', default: '100' },
    file: { type: 'string', default: 'samples/meeting-en.wav' },
  },
});

const PORT = 18_441;
const SECRET = `whsec_${Buffer.from('the webhooks of the load test').toString('base64')}`;
/** The last has the default limit of jobs at once, and so is refused some. */
const TENANTS = ['north', 'east', 'south', 'limited'] as const;
const keyOf = (tenant: string): string => `key-of-${tenant}`;

const workFolder = await mkdtemp(join(tmpdir(), 'stt-load-'));
const receiver = await startReceiver(SECRET);
const client = new LoadClient({
  url: `http://127.0.0.1:${PORT}`,
  recording: await readFile(values.file),
  keys: TENANTS.map(keyOf),
});
const problems: string[] = [];
try {
  await writeKeys();
  const phases = values.phases.split(',');
  let service = await serve();
  if (phases.includes('sync')) await waitedFor(service);
  if (phases.includes('async')) await asJobs(service, Number(values.uploads));
  if (phases.includes('kill')) service = await killed(service, Number(values.killed));
  await endService(service, 'SIGTERM');
} finally {
  await receiver.close();
  await rm(workFolder, { recursive: true });
}
for (const problem of problems) say(`FAILED: ${problem}`);
process.exitCode = problems.length > 0 ? 1 : 0;

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

async function writeKeys(): Promise<void> {
  const generous = { requests_per_minute: 100_000, concurrent_jobs: 1000 };
  const entries = TENANTS.map((tenant) => [
    tenant,
    {
      keys: [hashKey(keyOf(tenant))],
      webhook_secrets: [SECRET],
      ...(tenant === 'limited' ? { requests_per_minute: 100_000 } : generous),
    },
  ]);
  const document = JSON.stringify({ tenants: Object.fromEntries(entries) });
  await writeFile(join(workFolder, 'keys.json'), document);
}

function serve(): Promise<LoadedService> {
  return startLoadedService(PORT, {
    DATA_DIR: join(workFolder, 'data'),
    API_KEYS_FILE: join(workFolder, 'keys.json'),
    ALLOW_HTTP_URLS: '1',
    ALLOW_PRIVATE_URLS: '1',
    ...(values.concurrency && { MAX_CONCURRENT_JOBS: values.concurrency }),
  });
}

async function waitedFor(service: LoadedService): Promise<void> {
  const stop = sampleService(service);
  const startedAt = performance.now();
  const outcomes = await client.uploadAll(Number(values.uploads));
  report('waited for', service, { startedAt, outcomes, samples: await stop() });
  for (const { status, hasResult } of outcomes) {
    if (status !== 429 && !hasResult) problems.push(`an upload was answered with ${status}`);
  }
}

async function asJobs(service: LoadedService, count: number): Promise<void> {
  const before = await completedJobs(service);
  const stop = sampleService(service);
  const startedAt = performance.now();
  const accepted = await client.submitAll(count, receiver.url);
  const outcomes = await client.settled(accepted);
  report('as jobs', service, { startedAt, outcomes, samples: await stop() });
  await checkJobs(
    accepted.map(({ id }) => id),
    outcomes,
    receiver,
  );
  const done = (await completedJobs(service)) - before;
  say(`  runs completed   ${done}`);
  if (done !== count) problems.push(`${count} jobs took ${done} runs`);
}

/**
 * Half of the jobs were accepted before the kill, the other half come while the process is dead and
 * while it starts: each must end in a result, announced under one id.
 */
async function killed(service: LoadedService, count: number): Promise<LoadedService> {
  const startedAt = performance.now();
  const half = Math.ceil(count / 2);
  const early = await client.submitAll(half, receiver.url);
  const ids = early.map(({ id }) => id);
  while (receiver.countOf(ids) < Math.min(3, half)) await sleep(100);
  const coming = client.submitAll(count - half, receiver.url);
  await sleep(50);
  const before = receiver.countOf(ids);
  await endService(service, 'SIGKILL');
  const restarted = await serve();
  say(`killed with ${before} of ${half} jobs done, ${count - half} on their way`);
  const stop = sampleService(restarted);
  const accepted = [...early, ...(await coming)];
  const outcomes = await client.settled(accepted);
  report('killed', restarted, { startedAt, outcomes, samples: await stop() });
  await checkJobs(
    accepted.map(({ id }) => id),
    outcomes,
    receiver,
  );
  return restarted;
}

async function checkJobs(
  ids: readonly string[],
  outcomes: readonly Outcome[],
  announced: Receiver,
): Promise<void> {
  const lost = outcomes.filter(({ hasResult }) => !hasResult).length;
  for (let tries = 0; tries < 100 && announced.countOf(ids) < ids.length; tries++) await sleep(100);
  const { repeated, different } = announced.repeatsOf(ids);
  say(
    `  accepted ${ids.length}, lost ${lost}, announced ${announced.countOf(ids)}, ` +
      `messages sent again ${repeated}, with another body ${different}`,
  );
  if (lost > 0) problems.push(`${lost} jobs have no result`);
  if (announced.countOf(ids) !== ids.length) problems.push('some jobs were not announced');
  if (different > 0) problems.push('a job was announced with two results');
}

interface Measured {
  readonly startedAt: number;
  readonly outcomes: readonly Outcome[];
  readonly samples: readonly ServiceSample[];
}

function report(title: string, service: LoadedService, measured: Measured): void {
  const { outcomes, samples, startedAt } = measured;
  const counts = new Map<string, number>();
  for (const { status } of outcomes) {
    counts.set(String(status), (counts.get(String(status)) ?? 0) + 1);
  }
  const latencies = outcomes
    .filter(({ hasResult }) => hasResult)
    .map(({ elapsedSec }) => elapsedSec);
  const delays = samples.map(({ delayP99Ms }) => delayP99Ms);
  const peakMb = peakMbOf(service);
  if (peakMb > Number(values['max-mb'])) problems.push(`${title}: ${peakMb} MB of memory`);
  const worstMs = Math.max(...delays);
  if (worstMs >= Number(values['max-delay-ms'])) {
    problems.push(`${title}: event loop delay p99 of ${worstMs.toFixed(0)} ms`);
  }
  const maxDelay = Math.max(...samples.map(({ delayMaxMs }) => delayMaxMs));
  const memory = samples.map(({ residentMb }) => residentMb);
  say(
    `${title}: ${outcomes.length} uploads, ${((performance.now() - startedAt) / 1000).toFixed(0)} s`,
  );
  say(
    `  status           ${[...counts].map(([status, count]) => `${status}: ${count}`).join(', ')}`,
  );
  say(`  latency s        ${quantiles(latencies)}`);
  say(`  resident MB      ${sparse(memory).join(' ')}; peak ${peakMb}`);
  say(
    `  loop delay ms    p50 ${at(
      samples.map((s) => s.delayP50Ms),
      0.5,
    )}, p99 of 5 s: ` +
      `median ${at(delays, 0.5)}, worst ${at(delays, 1)}; max ${maxDelay.toFixed(0)}`,
  );
}

function quantiles(values: readonly number[]): string {
  return `p50 ${at(values, 0.5)}, p95 ${at(values, 0.95)}, max ${at(values, 1)}`;
}

function at(values: readonly number[], share: number): string {
  const sorted = values.toSorted((a, b) => a - b);
  return (sorted[Math.ceil(share * (sorted.length - 1))] ?? Number.NaN).toFixed(1);
}

/** At most twenty of them, evenly. */
function sparse(values: readonly number[]): readonly number[] {
  const step = Math.max(1, Math.floor(values.length / 10));
  return values.filter((_, index) => index % step === 0);
}
