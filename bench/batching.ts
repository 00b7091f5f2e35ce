import { readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { openAudio } from '../audio/open-audio.ts';
import { SAMPLE_RATE_HZ } from '../audio/time.ts';
import { loadConfig } from '../core/config.ts';
import { loadModels, WHISPER_TINY_EN } from '../models/load-models.ts';
import type { Recognition, SpeechRecognizer } from '../pipeline/contracts.ts';
import { DEFAULT_TRANSCRIBE_OPTIONS } from '../pipeline/options.ts';
import { transcribe } from '../pipeline/transcribe.ts';

/**
 * What batches across jobs are worth, and what one window that repeats itself costs the others.
 * Variants run in turn; the ratio of each round counts, absolute times are those of this machine.
 */
const { values } = parseArgs({
  options: {
    audio: { type: 'string', default: '../shared/audio/real' },
    runs: { type: 'string', default: '5' },
  },
});

type Samples = Float32Array<ArrayBuffer>;
const ROWS = 8;
const WINDOW_SAMPLES = 30 * SAMPLE_RATE_HZ;
const STEP_SAMPLES = 5 * SAMPLE_RATE_HZ;
/** What is repeated to make windows that loop: these parts of recorded ones. */
const PERIODS_SEC = [0.6, 1, 1.6, 2.4, 3.6];
const REPEATED_FROM = 3 * SAMPLE_RATE_HZ;
const { signal } = new AbortController();
const root = resolve(import.meta.dirname, '..', values.audio);

const recordings = await readRecordings();
await measureLoopingRow();
await measureParallelJobs();

async function readRecordings(): Promise<Samples[]> {
  const names = readdirSync(root).filter((name) => /\.(wav|flac)$/.test(name));
  return Promise.all(
    names.map(async (path) => {
      const limits = { ...loadConfig({}).audio, root };
      const spooled = await openAudio({ kind: 'path', path: join(root, path) }, limits, signal);
      const samples = await spooled.read({ start: 0, end: spooled.sampleCount });
      await spooled.close();
      return samples;
    }),
  );
}

function load(batchSize: number) {
  const settings = { device: 'cpu', threads: 0, computeType: 'float32', batchSize } as const;
  return loadModels({ ...settings, whisper: WHISPER_TINY_EN }, () => {});
}

function decode(waveform: Samples, recognizer: SpeechRecognizer): Promise<Recognition> {
  const request = { task: 'transcribe', language: 'en', timestamps: true, prompt: null } as const;
  return recognizer.recognize({ ...request, waveform, temperature: 0 }, signal);
}

async function measureLoopingRow(): Promise<void> {
  const { recognizer, close } = await load(ROWS);
  const windows = recordings.flatMap((samples) =>
    Array.from({ length: Math.ceil(samples.length / STEP_SAMPLES) }, (_, index) =>
      samples.slice(index * STEP_SAMPLES, index * STEP_SAMPLES + WINDOW_SAMPLES),
    ).filter(({ length }) => length >= WINDOW_SAMPLES / 3),
  );
  const heard = await Promise.all(windows.map((window) => decode(window, recognizer)));
  const isLooping = heard.map(({ stoppedBy }) => stoppedBy === 'loop');
  const ordinary = windows
    .map((window, index) => ({ window, tokens: heard[index]!.tokens.length }))
    .filter((_, index) => !isLooping[index])
    .toSorted((a, b) => b.tokens - a.tokens)
    .slice(0, ROWS)
    .map(({ window }) => window);
  const looping = await longestLoop(ordinary, recognizer);
  if (looping === undefined || ordinary.length < ROWS) {
    process.stdout.write('one looping row: not measured, no window repeats itself\n');
  } else {
    const timed = (batch: readonly Samples[]) =>
      secOf(() => Promise.all(batch.map((window) => decode(window, recognizer))));
    const ratios = await inTurn(
      () => timed([...ordinary.slice(0, -1), looping]),
      () => timed(ordinary),
    );
    report('batch of 8 with one looping window ÷ the same batch with an ordinary one', ratios);
  }
  await close();
}

/** Of windows that say one short piece again and again, the one that is stopped as a loop latest. */
async function longestLoop(
  windows: readonly Samples[],
  recognizer: SpeechRecognizer,
): Promise<Samples | undefined> {
  const repeated = windows.flatMap((window) =>
    PERIODS_SEC.map((periodSec) => {
      const period = Math.round(periodSec * SAMPLE_RATE_HZ);
      const piece = window.slice(REPEATED_FROM, REPEATED_FROM + period);
      return Float32Array.from({ length: WINDOW_SAMPLES }, (_, i) => piece[i % period] ?? 0);
    }),
  );
  const heard = await Promise.all(repeated.map((window) => decode(window, recognizer)));
  const loops = heard.map(({ stoppedBy, tokens }) => (stoppedBy === 'loop' ? tokens.length : 0));
  const most = Math.max(...loops);
  process.stdout.write(`longest loop: ${most} tokens of ${loops.filter(Boolean).length} loops\n`);
  return most === 0 ? undefined : repeated[loops.indexOf(most)];
}

async function measureParallelJobs(): Promise<void> {
  const jobs = Array.from({ length: ROWS }, (_, index) => thirtySeconds(index));
  const alone = await load(1);
  const together = await load(ROWS);
  const run = async (samples: Samples, models: typeof alone): Promise<void> => {
    const waveform = {
      sampleCount: samples.length,
      read: ({ start, end }: { start: number; end: number }) =>
        Promise.resolve(samples.slice(start, end)),
    };
    const options = { ...DEFAULT_TRANSCRIBE_OPTIONS, language: 'en' };
    await transcribe(waveform, options, models, {}, signal);
  };
  const ratios = await inTurn(
    () =>
      secOf(async () => {
        for (const job of jobs) await run(job, alone);
      }),
    () => secOf(() => Promise.all(jobs.map((job) => run(job, together)))),
  );
  report('8 jobs of 30 s one after the other at batch 1 ÷ in parallel at batch 8', ratios);
  await Promise.all([alone.close(), together.close()]);
}

/** Half a minute of the recordings that are so long, each from another place. */
function thirtySeconds(index: number): Samples {
  const long = recordings.filter(({ length }) => length >= WINDOW_SAMPLES);
  return long[index % long.length]!.slice(0, WINDOW_SAMPLES);
}

async function secOf(work: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  await work();
  return (performance.now() - startedAt) / 1000;
}

/** The ratio of both in each round, after one that does not count. */
async function inTurn(
  first: () => Promise<number>,
  second: () => Promise<number>,
): Promise<number[]> {
  const ratios: number[] = [];
  for (let round = 0; round <= Number(values.runs); round++) {
    const ratio = (await first()) / (await second());
    if (round > 0) ratios.push(ratio);
  }
  return ratios.toSorted((a, b) => a - b);
}

function report(what: string, ratios: readonly number[]): void {
  const pairs = ratios.map((ratio) => ratio.toFixed(2)).join(', ');
  const median = ratios[ratios.length >> 1]!.toFixed(2);
  process.stdout.write(`${what}: ${median} (${pairs})\n`);
}
