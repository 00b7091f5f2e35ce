import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, cpus, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import onnxruntime from 'onnxruntime-node/package.json' with { type: 'json' };
import { longSampleText, writeLongSample } from './long-sample.ts';
import { type Peer, startPeer } from './peer-process.ts';
import { writeRealRecordings } from './real-recordings.ts';
import { countWordErrors, errorRate } from './word-errors.ts';

/**
 * Real-time factor, words and peak memory on one file, ours and faster-whisper's, round by round
 * in one run. Ratios count; absolute times are those of this machine.
 */
const { values } = parseArgs({
  options: {
    audio: { type: 'string' },
    real: { type: 'boolean', default: false },
    minutes: { type: 'string', default: '10' },
    runs: { type: 'string', default: '5' },
    'fp32-model': { type: 'string', default: '../shared/models/whisper-tiny.en' },
    'faster-whisper-model': { type: 'string', default: '' },
  },
});

const ROOT = join(import.meta.dirname, '..');
const THREADS = String(availableParallelism());
const BASELINE = 'faster-whisper int8, batch 8';

const workFolder = await mkdtemp(join(tmpdir(), 'stt-bench-'));
try {
  const task = await recording();
  const peers = await startPeers(task.path);
  await report(peers, await rounds(peers), task);
  for (const peer of peers) peer.stop();
} finally {
  await rm(workFolder, { recursive: true });
}

interface Task {
  readonly path: string;
  readonly audioSec?: number;
  /** What is said in it, or what openai-whisper hears in the real recordings. */
  readonly script?: string;
}

/** A given file, real recordings with pauses between them, or the sample again and again. */
async function recording(): Promise<Task> {
  if (values.audio !== undefined) return { path: resolve(values.audio) };
  const path = join(workFolder, 'recording.wav');
  const durationSec = Number(values.minutes) * 60;
  if (values.real) {
    const { audioSec, text } = await writeRealRecordings(path, durationSec);
    return { path, audioSec, script: text };
  }
  await writeLongSample(path, durationSec);
  return { path, audioSec: durationSec, script: await longSampleText(durationSec) };
}

async function startPeers(audio: string): Promise<Peer[]> {
  const ours = (name: string, folder: string, batch: string) =>
    startPeer(name, process.execPath, [
      '--import',
      join(ROOT, 'scripts/typescript.mjs'),
      join(ROOT, 'bench/peers/stt-worker-peer.ts'),
      folder,
      audio,
      batch,
      THREADS,
      'text', // faster-whisper is not asked for words either.
    ]);
  const theirs = (name: string, batch: string, timestamps: string) =>
    startPeer(name, 'python3', [
      join(ROOT, 'bench/peers/faster_whisper_peer.py'),
      values['faster-whisper-model'],
      audio,
      'int8',
      batch,
      timestamps,
      THREADS,
    ]);
  const quantized = join(ROOT, 'models/embedded/whisper-tiny.en');
  const full = resolve(ROOT, values['fp32-model']);
  const started = [
    await ours('ours 8 bit, batch 1', quantized, '1'),
    await ours('ours 8 bit, batch 8', quantized, '8'),
    await ours('ours fp32, batch 1', full, '1'),
    await ours('ours fp32, batch 8', full, '8'),
    await theirs('faster-whisper int8, batch 1', '1', '1'),
    await theirs(BASELINE, '8', '1'),
    await theirs('faster-whisper int8, batch 8, no times', '8', '0'),
  ];
  return started.filter((peer) => peer !== undefined);
}

interface Rounds {
  readonly secs: ReadonlyMap<Peer, number[]>;
  readonly texts: ReadonlyMap<Peer, string>;
}

/** One round to warm up, then the counted ones; in each every peer runs once. */
async function rounds(peers: readonly Peer[]): Promise<Rounds> {
  const secs = new Map(peers.map((peer) => [peer, [] as number[]]));
  const texts = new Map<Peer, string>();
  for (let round = 0; round <= Number(values.runs); round++) {
    for (const peer of peers) {
      const { sec, text } = await peer.run();
      texts.set(peer, text);
      if (round > 0) secs.get(peer)!.push(sec);
      process.stderr.write(`round ${round} ${peer.name}: ${sec.toFixed(1)} s\n`);
    }
  }
  return { secs, texts };
}

function median(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

async function report(
  peers: readonly Peer[],
  { secs, texts }: Rounds,
  { audioSec, script }: Task,
): Promise<void> {
  const baseline = peers.find(({ name }) => name === BASELINE);
  const rows = await Promise.all(
    peers.map(async (peer) => ({
      name: peer.name,
      medianSec: Number(median(secs.get(peer)!).toFixed(2)),
      minSec: Number(Math.min(...secs.get(peer)!).toFixed(2)),
      realTimeFactor:
        audioSec === undefined ? null : Number((median(secs.get(peer)!) / audioSec).toFixed(4)),
      // Pair by pair in each round, so that a drifting machine disturbs both alike.
      speedRatio:
        baseline === undefined
          ? null
          : Number(
              median(
                secs.get(peer)!.map((sec, round) => secs.get(baseline)![round]! / sec),
              ).toFixed(2),
            ),
      words: texts.get(peer)!.split(/\s+/).filter(Boolean).length,
      wordErrorRate:
        script === undefined
          ? null
          : Number(errorRate(countWordErrors(script, texts.get(peer)!)).toFixed(4)),
      peakMemoryMb: Math.round(await peer.peakMemoryMb()),
    })),
  );
  const machine = {
    cpu: cpus()[0]?.model,
    cores: THREADS,
    node: process.version,
    onnxruntime: onnxruntime.version,
  };
  process.stdout.write(`${JSON.stringify(machine)}\n`);
  process.stdout.write(
    '| variant | median s | min s | RTF | speed / faster-whisper batch 8 | words | WER | peak MB |\n',
  );
  process.stdout.write('|---|---|---|---|---|---|---|---|\n');
  for (const row of rows) process.stdout.write(`| ${Object.values(row).join(' | ')} |\n`);
  process.stdout.write(
    `${JSON.stringify({ machine, audioSec, runs: Number(values.runs), rows })}\n`,
  );
}
