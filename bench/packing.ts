import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { openAudio } from '../audio/open-audio.ts';
import { loadConfig } from '../core/config.ts';
import { loadModels, WHISPER_TINY_EN } from '../models/load-models.ts';
import { DEFAULT_TRANSCRIBE_OPTIONS } from '../pipeline/options.ts';
import { transcribe } from '../pipeline/transcribe.ts';
import { longSampleText, writeLongSample } from './long-sample.ts';
import { writeRealRecordings } from './real-recordings.ts';
import { countWordErrors, errorRate } from './word-errors.ts';

/**
 * What shortening pauses within windows gives and costs: windows, time and word errors by the
 * longest pause that is kept. The variants run in turn, so that ratios count on a busy machine.
 */
const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    runs: { type: 'string', default: '2' },
    pauses: { type: 'string', default: 'Infinity,2,1,0.5,0' },
    batch: { type: 'string', default: '8' },
    model: { type: 'string', default: '' },
  },
});

const { signal } = new AbortController();
const durationSec = Number(values.minutes) * 60;
const pauses = values.pauses.split(',').map(Number);
const folder = resolve(values.model);
const models = await loadModels(
  {
    device: 'cpu',
    threads: availableParallelism(),
    computeType: 'float32',
    batchSize: Number(values.batch),
    whisper: values.model === '' ? WHISPER_TINY_EN : { name: basename(folder), folder },
  },
  (error) => {
    throw error;
  },
);

interface Run {
  readonly windows: number;
  readonly attempts: number;
  readonly segments: number;
  readonly sec: number;
  readonly text: string;
}

async function run(path: string, maxPauseSec: number): Promise<Run> {
  const limits = { ...loadConfig({}).audio, root: dirname(path), maxSec: 86_400 };
  const waveform = await openAudio({ kind: 'path', path }, limits, signal);
  const counts: Record<string, number> = {};
  const startedAt = performance.now();
  const { segments } = await transcribe(
    waveform,
    { ...DEFAULT_TRANSCRIBE_OPTIONS, language: 'en', maxPauseSec },
    models,
    { onStage: (_stage, _elapsedMs, details) => void Object.assign(counts, details) },
    signal,
  );
  const sec = (performance.now() - startedAt) / 1000;
  await waveform.close();
  return {
    windows: counts['chunkCount'] ?? 0,
    attempts: counts['attemptCount'] ?? 0,
    segments: segments.length,
    sec,
    text: segments.map(({ text }) => text).join(' '),
  };
}

async function measure(name: string, path: string, reference: string): Promise<void> {
  const secs = pauses.map(() => [] as number[]);
  const last: Run[] = [];
  for (let round = 0; round < Number(values.runs); round++) {
    for (const [variant, pause] of pauses.entries()) {
      last[variant] = await run(path, pause);
      secs[variant]!.push(last[variant].sec);
    }
  }
  for (const [variant, { windows, attempts, segments, text }] of last.entries()) {
    const errors = (100 * errorRate(countWordErrors(reference, text))).toFixed(2);
    const ratios = secs[variant]!.map((sec, round) => (secs[0]![round]! / sec).toFixed(2));
    process.stdout.write(
      `| ${name} | ${pauses[variant]} | ${windows} | ${attempts} | ${segments} | ${ratios.join(', ')} | ${errors} |\n`,
    );
  }
}

const workFolder = await mkdtemp(join(tmpdir(), 'stt-bench-'));
process.stdout.write(
  '| recording | longest pause s | windows | decodings | segments | speed ratio | word errors % |\n|---|---|---|---|---|---|---|\n',
);
try {
  const real = join(workFolder, 'real.wav');
  const { text } = await writeRealRecordings(real, durationSec);
  await measure('real', real, text);
  const sample = join(workFolder, 'sample.wav');
  const sampleSec = Math.min(durationSec, 180);
  await writeLongSample(sample, sampleSec);
  await measure('sample', sample, await longSampleText(sampleSec));
} finally {
  await rm(workFolder, { recursive: true });
  await models.close();
}
