import { parseArgs } from 'node:util';
import { type Outcome, type Pool, type Scaler, simulatePool } from './autoscale-simulation.ts';
import { officeTrace } from './autoscale-trace.ts';
import { ASSUMED_TIMES, readServiceTimes } from './service-times.ts';

/**
 * What a pool of workers makes of an office's day: how long jobs wait and what is paid for, for
 * several settings of RunPod's autoscaler. Service times come from a file that
 * `npm run bench:service-times` has written (`--measured FILE`); without it they are assumed, and
 * printed as such. Single times may be given too.
 */

const OPTIONS = {
  hours: { type: 'string', default: '8' },
  meetings: { type: 'string', default: '40' },
  'meeting-min': { type: 'string', default: '45' },
  sessions: { type: 'string', default: '5' },
  'window-every': { type: 'string', default: '1' },
  measured: { type: 'string' },
  'real-time-factor': { type: 'string' },
  'file-overhead': { type: 'string' },
  'window-sec': { type: 'string' },
  'cold-start': { type: 'string' },
  'price-an-hour': { type: 'string', default: '0' },
  concurrency: { type: 'string', default: '1' },
} as const;

const SCALERS: readonly Scaler[] = [
  { type: 'QUEUE_DELAY', value: 4 },
  { type: 'REQUEST_COUNT', value: 4 },
  { type: 'REQUEST_COUNT', value: 1 },
];
const WORKERS = [
  { minWorkers: 0, maxWorkers: 3 },
  { minWorkers: 0, maxWorkers: 10 },
  { minWorkers: 1, maxWorkers: 10 },
  { minWorkers: 2, maxWorkers: 10 },
];
const IDLE_TIMEOUTS_SEC = [5, 120];

async function main(): Promise<void> {
  const { values } = parseArgs({ options: OPTIONS });
  const known =
    values.measured === undefined ? ASSUMED_TIMES : await readServiceTimes(values.measured);
  const number = (name: keyof typeof OPTIONS, fallback?: number): number => {
    const value = Number(values[name] ?? fallback);
    if (!Number.isFinite(value) || value < 0) throw new Error(`--${name} needs a number`);
    return value;
  };
  const arrivals = officeTrace({
    hours: number('hours'),
    meetingsAnHour: number('meetings'),
    meetingSec: number('meeting-min') * 60,
    sessionsAnHour: number('sessions'),
    windowEverySec: number('window-every'),
  });
  const times = {
    fileRealTimeFactor: number('real-time-factor', known.fileRealTimeFactor),
    fileOverheadSec: number('file-overhead', known.fileOverheadSec),
    windowSec: number('window-sec', known.windowSec),
  };
  const coldStartSec = number('cold-start', known.coldStartSec);
  const fixed = { coldStartSec, concurrency: number('concurrency') };
  const rows = poolsOf(fixed).map((pool) => ({
    pool,
    outcome: simulatePool(arrivals, pool, times),
  }));
  print(`service times: ${known.about}`);
  print(`${arrivals.length} jobs; ${JSON.stringify({ ...times, ...fixed })}`);
  print(TABLE_HEAD);
  for (const { pool, outcome } of rows) print(toRow(pool, outcome, number('price-an-hour')));
  print(JSON.stringify({ about: known.about, times, fixed, rows: rows.map(summaryOf) }));
}

const poolsOf = (fixed: Pick<Pool, 'coldStartSec' | 'concurrency'>): Pool[] =>
  SCALERS.flatMap((scaler) =>
    WORKERS.flatMap((workers) =>
      IDLE_TIMEOUTS_SEC.map((idleTimeoutSec) => ({ ...fixed, ...workers, scaler, idleTimeoutSec })),
    ),
  );

const TABLE_HEAD = [
  '| scaler | workers | idle s | wait p50 s | p95 s | live p95 s | worker h | busy % | peak | cold starts | cost |',
  '|---|---|---|---|---|---|---|---|---|---|---|',
].join('\n');

function toRow(pool: Pool, outcome: Outcome, priceAnHour: number): string {
  const figures = figuresOf(outcome);
  const cells = [
    `${pool.scaler.type} ${pool.scaler.value}`,
    `${pool.minWorkers}–${pool.maxWorkers}`,
    pool.idleTimeoutSec,
    figures.p50Sec,
    figures.p95Sec,
    figures.liveP95Sec,
    figures.workerHours,
    Math.round(figures.busyShare * 100),
    figures.peakWorkers,
    figures.coldStarts,
    priceAnHour > 0 ? (figures.workerHours * priceAnHour).toFixed(2) : '–',
  ];
  return `| ${cells.join(' | ')} |`;
}

const print = (line: string): void => {
  process.stdout.write(`${line}\n`);
};

const summaryOf = ({ pool, outcome }: { pool: Pool; outcome: Outcome }) => ({
  ...pool,
  ...figuresOf(outcome),
});

function figuresOf(outcome: Outcome) {
  return {
    p50Sec: percentile(outcome.waitsSec, 0.5),
    p95Sec: percentile(outcome.waitsSec, 0.95),
    liveP95Sec: percentile(outcome.realtimeWaitsSec, 0.95),
    workerHours: Number((outcome.paidWorkerSec / 3600).toFixed(2)),
    busyShare: outcome.busyWorkerSec / Math.max(1, outcome.paidWorkerSec),
    peakWorkers: outcome.peakWorkers,
    coldStarts: outcome.coldStarts,
  };
}

function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const at = Math.min(sorted.length - 1, Math.floor(sorted.length * share));
  return Number((sorted[at] ?? 0).toFixed(2));
}

await main();
