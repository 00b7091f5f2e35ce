/** A cycle is a loop once it has been said four times … */
const MIN_REPEATS = 3;
/** … and goes on for this many tokens: "no no no no no no" is speech. */
const MIN_RUN_TOKENS = 24;

/**
 * By period 1, 2, 3 …: how many tokens in a row must equal those one period earlier for a loop.
 * Such a text compresses to less than a third of itself, far beyond the limit of a good one (2.4).
 */
export const loopThreshold = (period: number): number =>
  Math.max(MIN_REPEATS * period, MIN_RUN_TOKENS);

/** Whether the text ends in one cycle of tokens over and over; any two timestamps count as equal. */
export function endsInLoop(ids: readonly number[], timestampsStart: number): boolean {
  const kinds = ids.map((id) => Math.min(id, timestampsStart));
  for (let period = 1; loopThreshold(period) + period <= kinds.length; period++) {
    let run = 0;
    while (run < kinds.length - period && kinds.at(-1 - run) === kinds.at(-1 - run - period)) run++;
    if (run >= loopThreshold(period)) return true;
  }
  return false;
}
