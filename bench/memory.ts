import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { writeLongSample } from './long-sample.ts';
import { type Peer, startPeer } from './peer-process.ts';

/**
 * Whether memory grows with the length of a recording or with the number of jobs, whole jobs by their
 * defaults: the peak of a process with a long file beside one with ten minutes (at most 1.15 times is
 * the aim), and what is held after many short jobs beside what was held after the first twenty (within
 * 5 %). Exit code 1 where an aim is missed.
 */
const { values } = parseArgs({
  options: {
    hours: { type: 'string', default: '3' },
    jobs: { type: 'string', default: '200' },
    batch: { type: 'string', default: '8' },
  },
});

const ROOT = join(import.meta.dirname, '..');
const SHORT_SEC = 600;
const JOB_SEC = 10;
const SETTLED_JOBS = 20;
const MAX_GROWTH = 1.15;
const MAX_DRIFT = 1.05;

const workFolder = await mkdtemp(join(tmpdir(), 'stt-bench-'));
try {
  const longSec = Math.round(Number(values.hours) * 3600);
  const shortMb = await peakMbOf(SHORT_SEC);
  say(`peak of ${SHORT_SEC / 60} min: ${shortMb.toFixed(0)} MB`);
  const longMb = await peakMbOf(longSec);
  const growth = longMb / shortMb;
  say(`peak of ${longSec / 60} min: ${longMb.toFixed(0)} MB, ratio ${growth.toFixed(3)}`);
  const { settledMb, endMb } = await residentMbOverJobs(Number(values.jobs));
  const drift = settledMb === 0 ? 1 : endMb / settledMb;
  say(`after ${values.jobs} jobs: ${endMb.toFixed(0)} MB, ratio ${drift.toFixed(3)}`);
  say(JSON.stringify({ shortMb, longMb, growth, settledMb, endMb, drift }));
  if (growth > MAX_GROWTH || drift > MAX_DRIFT) process.exitCode = 1;
} finally {
  await rm(workFolder, { recursive: true });
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

async function startOn(durationSec: number): Promise<Peer> {
  const audio = join(workFolder, `${durationSec}.wav`);
  await writeLongSample(audio, durationSec);
  const peer = await startPeer(`${durationSec} s`, process.execPath, [
    '--import',
    join(ROOT, 'scripts/typescript.mjs'),
    join(ROOT, 'bench/peers/stt-worker-peer.ts'),
    join(ROOT, 'models/embedded/whisper-tiny.en'),
    audio,
    values.batch,
    String(availableParallelism()),
    'job',
  ]);
  if (peer === undefined) throw new Error('The peer did not start');
  return peer;
}

async function peakMbOf(durationSec: number): Promise<number> {
  const peer = await startOn(durationSec);
  const { sec, text } = await peer.run();
  say(`${durationSec / 60} min in ${sec.toFixed(0)} s: ${text}`);
  const peakMb = await peer.peakMemoryMb();
  peer.stop();
  return peakMb;
}

async function residentMbOverJobs(jobs: number): Promise<{ settledMb: number; endMb: number }> {
  const peer = await startOn(JOB_SEC);
  let settledMb = 0;
  for (let job = 1; job <= jobs; job++) {
    await peer.run();
    const residentMb = await peer.residentMemoryMb();
    if (job === SETTLED_JOBS) settledMb = residentMb;
    if (job % SETTLED_JOBS === 0) say(`after ${job} jobs: ${residentMb.toFixed(0)} MB`);
  }
  const endMb = await peer.residentMemoryMb();
  peer.stop();
  return { settledMb, endMb };
}
