import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { InferenceEngine } from '../models/engine/engine.ts';
import type { InferenceSession } from '../models/engine/onnxruntime.ts';
import type { ComputeType, DeviceOptions, TensorMap } from '../models/engine/protocol.ts';
import type { WhisperCheckpoint } from '../models/whisper/checkpoint.ts';
import { type ForcedWindow, forcedFeeds } from '../models/whisper/forced-feeds.ts';
import { WhisperRecognizer } from '../models/whisper/whisper-recognizer.ts';
import { buildGraph, loadGraph, warmUp } from './cold-start-stages.ts';
import type { GpuMemory } from './gpu-facts.ts';
import { encoderSession, takeProfile, timedRun } from './gpu-graphs.ts';
import { copies, onCpu, summarizeProfile } from './gpu-profile.ts';
import { printTable, rounded } from './gpu-tables.ts';
import { printVariants, VARIANTS } from './gpu-variants.ts';

/** Where the CPU stands in for a GPU nothing is measured. */
const RUNS = { cuda: 3, cpu: 1 } as const;
const PROFILED_TOKENS = 8;
/** Large enough to shrink twice; what 8 GB shall hold. */
const PROFILED_WINDOWS = 8;
/** Operators of the profile that are worth a line. */
const SHOWN_OPERATORS = 25;

export interface Measurement {
  readonly name: string;
  readonly folder: string;
  readonly device: DeviceOptions;
  readonly batches: readonly number[];
  readonly tokens: number;
  readonly memory: GpuMemory;
}

/** Everything that is to be known of one checkpoint, printed as it is measured; faults come back. */
export async function measureModel(options: Measurement): Promise<{ readonly faults: string[] }> {
  const { name, folder, device, memory } = options;
  const computeType = device.device === 'cuda' ? 'float16' : 'float32';
  const stages: [string, number, number | undefined][] = [];
  const stage = async <T>(what: string, work: () => Promise<T>): Promise<T> => {
    const startedAt = performance.now();
    const result = await work();
    stages.push([what, Math.round(performance.now() - startedAt), await memory.takePeakMb()]);
    return result;
  };
  const { checkpoint, model } = await stage('build', () => buildGraph(folder, computeType));
  const session = await stage('load', () => loadGraph(model, device));
  await stage('first run, one token', () => warmUp(session, checkpoint));
  await stage('second run, one token', () => warmUp(session, checkpoint));
  printTable(`${name}: cold start`, ['stage', 'ms', 'GPU memory peak MB'], stages);
  await printTokens(session, checkpoint, options);
  const windows = Math.min(PROFILED_WINDOWS, Math.max(...options.batches));
  const runs = RUNS[device.device];
  const variants = { checkpoint, windows, tokens: options.tokens, memory, runs };
  await printVariants(name, 'greedy', session, variants);
  await session.release();
  const beam = await buildGraph(folder, computeType, 'beam');
  const beamSession = await loadGraph(beam.model, device);
  await printVariants(name, 'beam', beamSession, variants);
  await beamSession.release();
  await printEncoder(checkpoint, computeType, options);
  const faults: string[] = [];
  for (const profile of profilesOf({ greedy: model, beam: beam.model }, checkpoint, windows)) {
    faults.push(...(await printProfile(profile, options)));
  }
  await printWarmUp(computeType, options);
  return { faults };
}

interface Profile {
  readonly what: string;
  readonly model: Uint8Array;
  readonly feeds: TensorMap;
  /** Whether a node of a Loop on the CPU is a fault; elsewhere some are known, see RESULTS-gpu.md. */
  readonly isStrict: boolean;
}

/** One window as plainly as it goes, and a larger batch in every way that jobs have it. */
function profilesOf(
  models: Readonly<Record<'greedy' | 'beam', Uint8Array>>,
  checkpoint: WhisperCheckpoint,
  windows: number,
): Profile[] {
  const plain = forcedFeeds(checkpoint, [{ tokens: PROFILED_TOKENS }]);
  return [
    { what: `${PROFILED_TOKENS} tokens`, model: models.greedy, feeds: plain, isStrict: true },
    ...VARIANTS.filter(({ isProfiled }) => isProfiled).map(({ name, search, feeds }) => ({
      what: `${name}, batch ${windows}`,
      model: models[search],
      feeds: feeds(checkpoint, windows, PROFILED_TOKENS),
      isStrict: false,
    })),
  ];
}

/** A token's time is the difference of two decodes: what is said before the first is in both. */
async function printTokens(
  session: InferenceSession,
  checkpoint: WhisperCheckpoint,
  { name, device, batches, tokens, memory }: Measurement,
): Promise<void> {
  const rows: (number | undefined)[][] = [];
  for (const windows of batches) {
    const best = async (count: number): Promise<{ ms: number; tokens: number }> => {
      const feeds = forcedFeeds(checkpoint, alike(windows, count));
      const runs = [];
      for (let run = 0; run < RUNS[device.device]; run++) runs.push(await timedRun(session, feeds));
      return runs.reduce((fastest, run) => (run.ms < fastest.ms ? run : fastest));
    };
    const short = await best(1);
    const long = await best(tokens);
    const perToken = (long.ms - short.ms) / (long.tokens - short.tokens);
    const figures = [short.ms, perToken, perToken / windows].map(rounded);
    rows.push([windows, ...figures, long.tokens, await memory.takePeakMb()]);
  }
  const columns = ['batch', 'ms to first token', 'ms per step', 'ms per token'];
  printTable(`${name}: decoding`, [...columns, 'tokens a row', 'GPU memory peak MB'], rows);
}

async function printEncoder(
  checkpoint: WhisperCheckpoint,
  computeType: ComputeType,
  { name, device, batches, memory }: Measurement,
): Promise<void> {
  const session = await encoderSession(checkpoint, computeType, device);
  const rows: (number | undefined)[][] = [];
  for (const windows of batches) {
    const feeds = forcedFeeds(checkpoint, alike(windows, 1));
    const first = await timedRun(session, feeds);
    let ms = Number.POSITIVE_INFINITY;
    for (let run = 0; run < RUNS[device.device]; run++)
      ms = Math.min(ms, (await timedRun(session, feeds)).ms);
    const figures = [first.ms, ms, ms / windows].map(rounded);
    rows.push([windows, ...figures, await memory.takePeakMb()]);
  }
  await session.release();
  const columns = ['batch', 'ms, first run', 'ms', 'ms a window', 'GPU memory peak MB'];
  printTable(`${name}: log-mel and encoder`, columns, rows);
}

const alike = (windows: number, tokens: number): ForcedWindow[] =>
  Array.from({ length: windows }, () => ({ tokens }));

async function printProfile(
  { what, model, feeds, isStrict }: Profile,
  { name, device }: Measurement,
): Promise<string[]> {
  const prefix = join(tmpdir(), `stt-gpu-profile-${process.pid}`);
  const session = await loadGraph(model, device, prefix);
  await timedRun(session, feeds);
  const summary = summarizeProfile(await takeProfile(session, prefix));
  await session.release();
  const { all, inLoop } = summary;
  const columns = ['operator', 'provider', 'runs', 'ms', 'example'];
  const cells = (uses: typeof all) =>
    uses
      .slice(0, SHOWN_OPERATORS)
      .map((use) => [use.operator, use.provider, use.runs, rounded(use.ms), use.example]);
  const title = `${name}: profile, ${what}`;
  if (isStrict) printTable(`${title}, whole graph`, columns, cells(all));
  printTable(`${title}, inside the Loops`, columns, cells(inLoop));
  const [strays, moved] = [onCpu(summary), copies(inLoop)];
  if (inLoop.length === 0) return [`${name}: the profile of ${what} shows no node inside a Loop`];
  if (device.device === 'cpu') return [];
  printTable(`${title}: copies between CPU and GPU in the Loops`, columns, cells(moved));
  printTable(`${title}: nodes of the Loops that ran on the CPU`, columns, cells(strays));
  if (!isStrict || strays.length === 0) return [];
  return [`${name}: ${strays.length} operators of the decode's Loops ran on the CPU`];
}

/** As a worker does it before its first job, on its own engine thread. */
async function printWarmUp(
  computeType: ComputeType,
  { name, folder, device, batches, memory }: Measurement,
): Promise<void> {
  const engine = new InferenceEngine(device, (error) => process.stderr.write(`${error.message}\n`));
  try {
    const batchSize = Math.max(...batches);
    const startedAt = performance.now();
    const options = { modelName: name, folder, computeType, batchSize };
    const recognizer = await WhisperRecognizer.load(engine, options);
    const loadMs = Math.round(performance.now() - startedAt);
    const sizes: [number, number][] = [];
    await recognizer.warmUp((windows, elapsedMs) => sizes.push([windows, elapsedMs]));
    printTable(`${name}: warm-up`, ['batch', 'ms'], [['load', loadMs], ...sizes]);
    printTable(
      `${name}: after it`,
      ['what', 'value'],
      [
        ['largest batch that fits', recognizer.batchSize],
        ['GPU memory peak MB', await memory.takePeakMb()],
      ],
    );
  } finally {
    await engine.close();
  }
}
