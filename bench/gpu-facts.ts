import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import { firstGpu } from '../models/device.ts';

const FACTS = ['name', 'driver_version', 'memory.total', 'compute_cap', 'power.limit'];
const SAMPLE_MS = 100;
/** The one that CUDA uses. */
const GPU = `--id=${firstGpu(process.env['CUDA_VISIBLE_DEVICES']) ?? 0}`;
/** Longer than nvidia-smi takes to write what it has seen. */
const DRAIN_MS = 400;

/** What nvidia-smi says of the first GPU, or undefined where there is none. */
export function gpuFacts(): string | undefined {
  try {
    const query = [`--query-gpu=${FACTS.join(',')}`, '--format=csv,noheader', GPU];
    return execFileSync('nvidia-smi', query, { encoding: 'utf8', stdio: 'pipe' }).trim();
  } catch {
    return undefined;
  }
}

/** Watches the GPU's used memory from a process of its own: a run blocks this one. */
export class GpuMemory {
  readonly #process: ChildProcess | undefined;
  #peakMb = 0;

  constructor() {
    if (gpuFacts() === undefined) return;
    const query = ['--query-gpu=memory.used', '--format=csv,noheader,nounits', GPU];
    this.#process = spawn('nvidia-smi', [...query, `--loop-ms=${SAMPLE_MS}`], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    this.#process.stdout?.setEncoding('utf8').on('data', (text: string) => {
      const values = text.split('\n').map(Number).filter(Number.isFinite);
      this.#peakMb = Math.max(this.#peakMb, ...values);
    });
  }

  /** The most since the last call, all processes of the GPU together; undefined without one. */
  async takePeakMb(): Promise<number | undefined> {
    if (this.#process === undefined) return undefined;
    await delay(DRAIN_MS);
    const peakMb = this.#peakMb;
    this.#peakMb = 0;
    return peakMb;
  }

  stop(): void {
    this.#process?.kill();
  }
}
