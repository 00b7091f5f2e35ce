import { readFile, writeFile } from 'node:fs/promises';
import { z } from 'zod';

const seconds = z.number().min(0);

const ServiceTimesFile = z.object({
  /** What was measured, where and when: stands in every table that is made of it. */
  about: z.string(),
  fileRealTimeFactor: seconds,
  fileOverheadSec: seconds,
  windowSec: seconds,
  coldStartSec: seconds,
});
/** What jobs and starts cost a worker, measured or assumed. */
export type ServiceTimes = z.output<typeof ServiceTimesFile>;

/** For comparing settings, not for a budget. */
export const ASSUMED_TIMES: ServiceTimes = {
  about: 'ASSUMED, not measured',
  fileRealTimeFactor: 0.02,
  fileOverheadSec: 3,
  windowSec: 0.3,
  coldStartSec: 25,
};

export const readServiceTimes = async (path: string): Promise<ServiceTimes> =>
  ServiceTimesFile.parse(JSON.parse(await readFile(path, 'utf8')));

export const writeServiceTimes = (path: string, times: ServiceTimes): Promise<void> =>
  writeFile(path, `${JSON.stringify(times, null, 2)}\n`);

/**
 * Cost by length of two recordings: `overhead + factor × length`. Of several runs the least counts,
 * since nothing makes a run faster than it is.
 */
export function costOf(
  short: { readonly audioSec: number; readonly runsSec: readonly number[] },
  long: { readonly audioSec: number; readonly runsSec: readonly number[] },
): Pick<ServiceTimes, 'fileRealTimeFactor' | 'fileOverheadSec'> {
  const [shortSec, longSec] = [Math.min(...short.runsSec), Math.min(...long.runsSec)];
  const factor = Math.max(0, (longSec - shortSec) / (long.audioSec - short.audioSec));
  return {
    fileRealTimeFactor: round(factor),
    fileOverheadSec: round(Math.max(0, shortSec - factor * short.audioSec)),
  };
}

const round = (value: number): number => Math.round(value * 10_000) / 10_000;
