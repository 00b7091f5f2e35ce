import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

const METRICS_TOKEN = 'of-the-load-test';
const START_TRIES = 480;

export interface LoadedService {
  readonly child: ChildProcess;
  readonly url: string;
}

/** What the service was like at one moment; delays are of the time since the sample before. */
export interface ServiceSample {
  readonly residentMb: number;
  readonly delayP50Ms: number;
  readonly delayP99Ms: number;
  readonly delayMaxMs: number;
}

/** The real program in a process of its own, on the embedded models; ready when it resolves. */
export async function startLoadedService(
  port: number,
  env: Readonly<Record<string, string>>,
): Promise<LoadedService> {
  const argv = ['--import', './scripts/typescript.mjs', 'handler/main.ts', '--serve'];
  const child = spawn(process.execPath, argv, {
    env: {
      PATH: process.env['PATH'],
      LOG_LEVEL: 'error',
      ...env,
      METRICS_TOKEN,
      PORT: String(port),
    },
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  const url = `http://127.0.0.1:${port}`;
  for (let tries = 0; tries < START_TRIES; tries++) {
    if (child.exitCode !== null) break;
    const ping = await fetch(`${url}/ping`).catch(() => undefined);
    if (ping?.status === 200) return { child, url };
    await sleep(250);
  }
  throw new Error('The service did not become ready');
}

/** Ends it and waits until it has. */
export async function endService({ child }: LoadedService, signal: NodeJS.Signals): Promise<void> {
  const ended = once(child, 'exit');
  child.kill(signal);
  await ended;
}

/** The most memory that the process ever had, by the kernel's count. */
export const peakMbOf = ({ child }: LoadedService): number => memoryMb(child, 'VmHWM');

/** Samples until told to stop, which resolves to them; asking `/metrics` starts the next interval. */
export function sampleService(
  service: LoadedService,
  everyMs = 5000,
): () => Promise<readonly ServiceSample[]> {
  const samples: ServiceSample[] = [];
  const stop = new AbortController();
  const sampling = (async () => {
    await readMetrics(service);
    while (!stop.signal.aborted) {
      await sleep(everyMs, undefined, { signal: stop.signal }).catch(() => undefined);
      samples.push(await sampleOf(service));
    }
  })();
  return async () => {
    stop.abort();
    await sampling;
    return samples;
  };
}

async function sampleOf(service: LoadedService): Promise<ServiceSample> {
  const metrics = await readMetrics(service);
  const delayMs = (statistic: string): number => {
    const found = new RegExp(`^nodejs_eventloop_lag_${statistic}_seconds (\\S+)$`, 'm');
    return 1000 * Number(found.exec(metrics)?.[1]);
  };
  return {
    residentMb: memoryMb(service.child, 'VmRSS'),
    delayP50Ms: delayMs('p50'),
    delayP99Ms: delayMs('p99'),
    delayMaxMs: delayMs('max'),
  };
}

/** Jobs that ended with a result since the start of the process. */
export async function completedJobs(service: LoadedService): Promise<number> {
  const metrics = await readMetrics(service);
  const counts = [...metrics.matchAll(/^stt_jobs_total\{tenant="[^"]*",code=""\} (\d+)$/gm)];
  return counts.reduce((sum, [, count]) => sum + Number(count), 0);
}

async function readMetrics({ url }: LoadedService): Promise<string> {
  const headers = { authorization: `Bearer ${METRICS_TOKEN}` };
  return await (await fetch(`${url}/metrics`, { headers })).text();
}

function memoryMb({ pid }: ChildProcess, field: 'VmRSS' | 'VmHWM'): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const [, kibibytes = '0'] = new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(status) ?? [];
  return Math.round((Number(kibibytes) * 1024) / 1e6);
}
