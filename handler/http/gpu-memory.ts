import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

export interface GpuMemory {
  readonly usedMb: number;
  readonly totalMb: number;
}

type Ask = () => Promise<string>;

const VALID_MS = 10_000;
const TIMEOUT_MS = 3000;

const askDriver: Ask = async () => {
  const query = ['--query-gpu=memory.used,memory.total', '--format=csv,noheader,nounits'];
  const { stdout } = await promisify(execFile)('nvidia-smi', query, { timeout: TIMEOUT_MS });
  return stdout;
};

/** Memory of the machine's GPUs together as the driver tells, at most ten seconds old. */
export class GpuMemoryReader {
  readonly #ask: Ask;
  #read: { readonly atMs: number; readonly memory: Promise<GpuMemory | null> } | undefined;

  constructor(ask: Ask = askDriver) {
    this.#ask = ask;
  }

  /** Null where the driver does not tell. */
  read(): Promise<GpuMemory | null> {
    const now = performance.now();
    if (this.#read === undefined || now - this.#read.atMs > VALID_MS) {
      const memory = this.#ask().then(memoryOf, () => null);
      this.#read = { atMs: now, memory };
    }
    return this.#read.memory;
  }
}

function memoryOf(lines: string): GpuMemory | null {
  const cards = [...lines.matchAll(/^ *(\d+), *(\d+) *$/gm)];
  if (cards.length === 0) return null;
  const sum = (column: number): number =>
    cards.reduce((total, card) => total + Number(card[column]), 0);
  return { usedMb: sum(1), totalMb: sum(2) };
}
