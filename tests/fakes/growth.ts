const RUNS = 3;
/** Far above a linear growth with the noise of a busy machine, and below a quadratic one of 64. */
const MOST_FOR_EIGHT_TIMES = 24;
/** Below it a measurement is noise. */
const NEGLIGIBLE_MS = 15;

/**
 * Whether eight times the size takes about eight times the computing, by the time of this process; or
 * how many times as much.
 */
export function growthOf(prepare: (size: number) => () => unknown, size: number): string {
  const [small, large] = [size, 8 * size].map((length) => computingMs(prepare(length)));
  const ratio = large! / small!;
  if (large! < NEGLIGIBLE_MS || ratio < MOST_FOR_EIGHT_TIMES) return 'linear';
  return `${ratio.toFixed(1)} times as long for eight times the size, ${large!.toFixed(0)} ms`;
}

function computingMs(work: () => unknown): number {
  let least = Number.POSITIVE_INFINITY;
  for (let run = 0; run < RUNS; run++) {
    const before = process.cpuUsage();
    work();
    const { user, system } = process.cpuUsage(before);
    least = Math.min(least, (user + system) / 1000);
  }
  return least;
}
