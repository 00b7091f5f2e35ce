import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { ERROR_CODES } from '../../core/errors.ts';

const ROW =
  /^\| `(?<code>[A-Z_]+)` +\| (?<status>\d{3}) +\| (?<retryable>yes|no) +\| \S.+ \| \S.+ +\|$/;

const documentedCodes = readFileSync(new URL('../../docs/errors.md', import.meta.url), 'utf8')
  .split('\n')
  .filter((line) => line.startsWith('| `'))
  .map((line) => ROW.exec(line)?.groups ?? { code: `unreadable row: ${line}` })
  .map(({ code, status, retryable }) => [
    code,
    { httpStatus: Number(status), retryable: retryable === 'yes' },
  ]);

test('docs/errors.md lists every error code once', () => {
  const codes = documentedCodes.map(([code]) => code);
  expect(codes).toEqual([...new Set(codes)]);
  expect(codes.toSorted()).toEqual(Object.keys(ERROR_CODES).toSorted());
});

test('docs/errors.md tells the status of every code and whether to retry', () => {
  expect(Object.fromEntries(documentedCodes)).toEqual(ERROR_CODES);
});
