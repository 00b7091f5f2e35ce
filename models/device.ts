import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { promisify } from 'node:util';
import { SttError } from '../core/errors.ts';
import type { DeviceOptions } from './engine/protocol.ts';

/** What the kernel driver and WSL expose; a container without a GPU has none of them. */
const GPU_MARKS = ['/proc/driver/nvidia/version', '/dev/nvidiactl', '/dev/dxg'];

const CPU_BATCH_SIZE = 8;
/** Windows of 30 s that fit beside large-v3 in float16: RTX 3070, RTX 4090, A100. */
const BATCH_SIZE_BY_MEMORY_MB = [
  { atLeast: 38_000, batchSize: 32 },
  { atLeast: 22_000, batchSize: 16 },
  { atLeast: 0, batchSize: 8 },
] as const;

/** `CUDA_VISIBLE_DEVICES`: numbers or UUIDs, separated by commas; what follows a bad one is not seen. */
type VisibleGpus = string | undefined;

/**
 * `auto` is CUDA where a GPU is visible, else the CPU. A visible GPU whose libraries are missing
 * is an error when the models load, not a reason to run slowly.
 */
export function chooseDevice(
  setting: 'auto' | 'cuda' | 'cpu',
  visibleGpus?: VisibleGpus,
): DeviceOptions['device'] {
  if (setting !== 'auto') return setting;
  const isVisible =
    firstGpu(visibleGpus) !== undefined && GPU_MARKS.some((path) => existsSync(path));
  return isVisible ? 'cuda' : 'cpu';
}

/** @returns also whether the GPU told its memory; the smallest size is taken where it did not. */
export async function defaultBatchSize(
  device: DeviceOptions['device'],
  visibleGpus?: VisibleGpus,
): Promise<{ readonly batchSize: number; readonly isKnown: boolean }> {
  if (device === 'cpu') return { batchSize: CPU_BATCH_SIZE, isKnown: true };
  const memoryMb = await gpuMemoryMb(visibleGpus);
  return { batchSize: batchSizeForMemory(memoryMb ?? 0), isKnown: memoryMb !== undefined };
}

export const batchSizeForMemory = (memoryMb: number): number =>
  BATCH_SIZE_BY_MEMORY_MB.find(({ atLeast }) => memoryMb >= atLeast)!.batchSize;

/** @throws {SttError} DEVICE_UNAVAILABLE where CUDA is to be used and no GPU answers. */
export async function assertGpuAnswers(
  device: DeviceOptions['device'],
  visibleGpus?: VisibleGpus,
): Promise<void> {
  if (device === 'cpu' || (await gpuMemoryMb(visibleGpus)) !== undefined) return;
  throw new SttError('DEVICE_UNAVAILABLE', 'CUDA is configured, but nvidia-smi finds no GPU');
}

/** The GPU that CUDA calls device 0, as nvidia-smi names it; undefined where none is to be seen. */
export function firstGpu(visibleGpus: VisibleGpus): string | undefined {
  if (visibleGpus === undefined) return '0';
  const first = visibleGpus.split(',')[0]!.trim();
  return /^(?:\d+|(?:GPU|MIG)-[\w/-]+)$/.test(first) ? first : undefined;
}

/** Memory of the first visible GPU, or undefined where nvidia-smi does not tell. */
async function gpuMemoryMb(visibleGpus: VisibleGpus): Promise<number | undefined> {
  const id = firstGpu(visibleGpus);
  if (id === undefined) return undefined;
  const query = ['--query-gpu=memory.total', '--format=csv,noheader,nounits', `--id=${id}`];
  try {
    const { stdout } = await promisify(execFile)('nvidia-smi', query, { timeout: 10_000 });
    const memoryMb = Number.parseInt(stdout, 10);
    return Number.isFinite(memoryMb) ? memoryMb : undefined;
  } catch {
    return undefined;
  }
}
