/**
 * Random numbers in [0, 1), the same in every run: the n-th sample of a window at a temperature
 * meets the same numbers whatever is decoded beside it, so that a job gives the same text twice.
 */
export function uniformRow(temperature: number, sample: number, count: number): Float32Array {
  const values = new Float32Array(count);
  if (temperature === 0) return values;
  let state =
    (0x9e3779b9 ^ Math.imul(Math.round(temperature * 1000), 0x85ebca6b)) + sample * 0x1b56c4e9;
  for (let i = 0; i < count; i++) {
    // mulberry32
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    values[i] = ((mixed ^ (mixed >>> 14)) >>> 8) / 2 ** 24;
  }
  return values;
}
