import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { loadConfig } from '../core/config.ts';
import { chooseDevice } from '../models/device.ts';
import { locateWhisper } from '../models/locate-whisper.ts';
import { writeRandomCheckpoint } from '../scripts/random-checkpoint.ts';
import type { RandomDtype } from '../scripts/random-values.ts';
import { WHISPER_SHAPES } from '../scripts/whisper-shapes.ts';
import { buildGraph, loadGraph, warmUp } from './cold-start-stages.ts';
import { memoryUse, resetPeak } from './peak-memory.ts';

/**
 * What a worker does before its first job, stage by stage, in one process of its own: finding the
 * model, downloading it, quantizing it (COMPUTE_TYPE=int8), building its graph, loading it, the first
 * run. Stages that did not take place are left out. Memory is Linux' own count.
 */
const { values } = parseArgs({
  options: {
    model: { type: 'string' },
    shape: { type: 'string', default: 'tiny' },
    dtype: { type: 'string', default: 'f16' },
  },
});

const { signal } = new AbortController();
const config = loadConfig(process.env);
const device = chooseDevice(config.engine.device);
const workFolder = await mkdtemp(join(tmpdir(), 'stt-cold-start-'));
try {
  await report(values.model ?? (await randomModel()));
} finally {
  await rm(workFolder, { recursive: true });
}

async function randomModel(): Promise<string> {
  const shape = WHISPER_SHAPES[values.shape];
  const dtypes: Readonly<Record<string, RandomDtype>> = { f32: 'F32', f16: 'F16', bf16: 'BF16' };
  const dtype = dtypes[values.dtype];
  if (shape === undefined || dtype === undefined) {
    throw new Error(
      `--shape is one of ${Object.keys(WHISPER_SHAPES).join(', ')}, --dtype f32|f16|bf16`,
    );
  }
  await writeRandomCheckpoint(workFolder, { shape, dtype, seed: 1 });
  return workFolder;
}

async function report(reference: string): Promise<void> {
  process.stdout.write(`${device}; peak includes pages of mapped files, own does not\n`);
  process.stdout.write('| stage | ms | peak MB | own MB after it |\n| --- | --- | --- | --- |\n');
  resetPeak();
  const { computeType } = config.engine;
  const hooks = { onStage: printStage };
  const setting = { model: reference, computeType, device };
  const { folder } = await locateWhisper(setting, { ...config.hub, hooks }, signal);
  const { checkpoint, model } = await stage('build', () =>
    buildGraph(folder, device === 'cuda' ? 'float16' : 'float32'),
  );
  const session = await stage('load', () =>
    loadGraph(model, { device, threads: config.engine.threads }),
  );
  await stage('first run', () => warmUp(session, checkpoint));
  await stage('second run', () => warmUp(session, checkpoint));
  await session.release();
}

async function stage<T>(name: string, work: () => Promise<T>): Promise<T> {
  resetPeak();
  const startedAt = performance.now();
  const result = await work();
  printStage(name, performance.now() - startedAt);
  return result;
}

/** The peak is that since the stage before. */
function printStage(name: string, ms: number): void {
  const { peakMb, ownMb } = memoryUse();
  process.stdout.write(`| ${name} | ${Math.round(ms)} | ${peakMb} | ${ownMb} |\n`);
  resetPeak();
}
