export interface ByteRange {
  readonly start: number;
  /** Inclusive, as HTTP counts. */
  readonly end: number;
}

/**
 * The part of `bytes` that a `Range` header asks for: `whole` without one or with several, which
 * may be ignored, `unsatisfiable` beyond the end (RFC 9110 §14).
 */
export function byteRangeOf(
  header: string | undefined,
  bytes: number,
): ByteRange | 'whole' | 'unsatisfiable' {
  const match = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header ?? '');
  const [, first = '', last = ''] = match ?? [];
  if (match === null || (first === '' && last === '')) return 'whole';
  const start = first === '' ? Math.max(0, bytes - Number(last)) : Number(first);
  const end = first === '' || last === '' ? bytes - 1 : Math.min(bytes - 1, Number(last));
  if (first !== '' && last !== '' && Number(last) < start) return 'whole';
  return start >= bytes || end < start ? 'unsatisfiable' : { start, end };
}
