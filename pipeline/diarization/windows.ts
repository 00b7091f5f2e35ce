/** Whether two sets of windows have one in common. */
export function haveCommon(a: ReadonlySet<number>, b: ReadonlySet<number>): boolean {
  const [small, large] = a.size < b.size ? [a, b] : [b, a];
  for (const window of small) if (large.has(window)) return true;
  return false;
}
