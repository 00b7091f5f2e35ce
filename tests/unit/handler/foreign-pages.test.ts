import { expect, test } from 'vitest';
import { problemOf } from '../../../handler/http/foreign-pages.ts';

const LOCAL = { isLocal: true, origins: new Set<string>() };
const BEHIND_PROXY = { isLocal: false, origins: new Set<string>() };

test.each([
  'localhost:8001',
  'localhost',
  '127.0.0.1:8001',
  '127.9.9.9',
  '[::1]:8001',
  'stt.localhost:8001',
])('without keys %s is this machine', (host) => {
  expect(problemOf({ host }, LOCAL)).toBeUndefined();
  expect(problemOf({ host, origin: `http://${host}` }, LOCAL)).toBeUndefined();
});

test.each([
  'evil.example:8001',
  'evil.example',
  'localhost.evil.example',
  '127.0.0.1.nip.example:8001',
  '192.168.1.4:8001',
  'localhost@evil.example',
  '',
])('a name that leads to this machine but is another’s (%s) is refused', (host) => {
  expect(problemOf({ host }, LOCAL)).toMatch(/localhost only/);
});

test.each(['https://evil.example', 'null', 'http://localhost.evil.example', 'file://'])(
  'a page of %s is refused, whatever host it asks',
  (origin) => {
    expect(problemOf({ host: 'localhost:8001', origin }, LOCAL)).toMatch(/other sites/);
  },
);

test('a page of another port of this machine, and one that was allowed, are not refused', () => {
  expect(problemOf({ host: 'localhost:8001', origin: 'http://localhost:3000' }, LOCAL)).toBe(
    undefined,
  );
  const origins = new Set(['https://app.example']);
  const headers = { host: 'localhost:8001', origin: 'https://app.example' };
  expect(problemOf(headers, { ...LOCAL, origins })).toBeUndefined();
  expect(problemOf(headers, { ...LOCAL, origins: new Set(['*']) })).toBeUndefined();
});

test('behind a proxy that asks for credentials any host is right, and only our own page', () => {
  const host = 'stt.example';
  expect(problemOf({ host }, BEHIND_PROXY)).toBeUndefined();
  expect(problemOf({ host, origin: 'https://stt.example' }, BEHIND_PROXY)).toBeUndefined();
  expect(problemOf({ host, origin: 'https://evil.example' }, BEHIND_PROXY)).toMatch(/other sites/);
  const renamed = { host: '10.0.0.7:8001', origin: 'https://stt.example' };
  expect(problemOf({ ...renamed, 'sec-fetch-site': 'same-origin' }, BEHIND_PROXY)).toBe(undefined);
  expect(problemOf({ ...renamed, 'sec-fetch-site': 'cross-site' }, BEHIND_PROXY)).toMatch(/other/);
});
