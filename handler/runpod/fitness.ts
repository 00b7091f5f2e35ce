import { statfs } from 'node:fs/promises';
import { freemem } from 'node:os';
import { SttError } from '../../core/errors.ts';
import type { Logger } from '../../core/logger.ts';

/** Something that has to be in order before jobs are taken; `run` throws when it is not. */
export interface FitnessCheck {
  readonly name: string;
  /** Left out under `RUNPOD_SKIP_GPU_CHECK`. */
  readonly needsGpu?: boolean;
  run(signal: AbortSignal): Promise<void>;
}

export interface FitnessFailure {
  readonly check: string;
  readonly reason: string;
}

export interface SystemLimits {
  readonly minMemoryGb: number;
  readonly minDiskPercent: number;
  readonly skipSystemChecks: boolean;
  readonly skipGpuCheck: boolean;
}

const GIBIBYTE = 1024 ** 3;

/** The checks in their order: this machine's first, then the given ones. */
export function selectChecks(
  given: readonly FitnessCheck[],
  limits: SystemLimits,
): readonly FitnessCheck[] {
  const system = limits.skipSystemChecks ? [] : [memoryCheck(limits), diskCheck(limits)];
  return [...system, ...given.filter((check) => !(check.needsGpu && limits.skipGpuCheck))];
}

/** Runs the checks one after another; the first failure ends it. */
export async function findUnfit(
  checks: readonly FitnessCheck[],
  logger: Logger,
  signal: AbortSignal,
): Promise<FitnessFailure | undefined> {
  const startedAt = performance.now();
  for (const check of checks) {
    try {
      await check.run(signal);
    } catch (thrown) {
      if (signal.aborted) return undefined;
      logger.error({ check: check.name, err: thrown }, 'fitness check failed');
      const reason = thrown instanceof Error ? thrown.message : String(thrown);
      return { check: check.name, reason };
    }
  }
  const elapsedMs = Math.round(performance.now() - startedAt);
  logger.info({ checks: checks.length, elapsedMs }, 'fitness checks passed');
  return undefined;
}

const memoryCheck = ({ minMemoryGb }: SystemLimits): FitnessCheck => ({
  name: 'memory',
  run: async () => {
    const availableGb = freemem() / GIBIBYTE;
    if (availableGb >= minMemoryGb) return;
    throw unfit('Insufficient memory', `${availableGb.toFixed(2)} GB`, `${minMemoryGb} GB`);
  },
});

const diskCheck = ({ minDiskPercent }: SystemLimits): FitnessCheck => ({
  name: 'disk',
  run: async () => {
    const { bavail, blocks } = await statfs('/');
    const freePercent = (100 * bavail) / blocks;
    if (freePercent >= minDiskPercent) return;
    throw unfit('Insufficient disk space', `${freePercent.toFixed(1)} %`, `${minDiskPercent} %`);
  },
});

const unfit = (what: string, found: string, needed: string): SttError =>
  new SttError('INTERNAL', `${what}: ${found} available, ${needed} required`);
