/** Half-open range of frames. */
export interface FrameRange {
  readonly start: number;
  readonly end: number;
}

/** The ranges in which `isActive` holds, for frames `[0, length)`. */
export function runsWhere(length: number, isActive: (frame: number) => boolean): FrameRange[] {
  const runs: FrameRange[] = [];
  let start = -1;
  for (let frame = 0; frame <= length; frame++) {
    const active = frame < length && isActive(frame);
    if (active && start < 0) start = frame;
    if (!active && start >= 0) {
      runs.push({ start, end: frame });
      start = -1;
    }
  }
  return runs;
}

/** Ordered, disjoint ranges that cover the same frames. */
export function unionOfRuns(runs: readonly FrameRange[]): FrameRange[] {
  const union: FrameRange[] = [];
  for (const run of runs.toSorted((a, b) => a.start - b.start)) {
    const last = union.at(-1);
    if (last && run.start <= last.end) {
      union[union.length - 1] = { start: last.start, end: Math.max(last.end, run.end) };
    } else union.push(run);
  }
  return union;
}

export const framesIn = (runs: readonly FrameRange[]): number =>
  runs.reduce((sum, { start, end }) => sum + end - start, 0);

export interface Thresholds {
  readonly onset: number;
  readonly offset: number;
}

/**
 * Active above the onset until below the offset, values on one scale: a mask of 0 and 1. The two
 * thresholds keep a probability that hovers at one of them from cutting speech to pieces.
 * @param active what the frame before the first was.
 */
export function hysteresis(
  values: ArrayLike<number>,
  { onset, offset }: Thresholds,
  active: 0 | 1 = 0,
): Uint8Array {
  const mask = new Uint8Array(values.length);
  let isActive: number = active;
  for (let frame = 0; frame < mask.length; frame++) {
    const value = values[frame]!;
    isActive = value > onset || (isActive === 1 && value > offset) ? 1 : 0;
    mask[frame] = isActive;
  }
  return mask;
}

/** Fills gaps between runs shorter than `minGap` frames, then drops runs shorter than `minRun`. */
export function smoothRuns(
  runs: readonly FrameRange[],
  minGap: number,
  minRun: number,
): FrameRange[] {
  const filled: FrameRange[] = [];
  for (const run of runs) {
    const last = filled.at(-1);
    if (last && run.start - last.end < minGap) {
      filled[filled.length - 1] = { start: last.start, end: run.end };
    } else filled.push(run);
  }
  return filled.filter(({ start, end }) => end - start >= minRun);
}
