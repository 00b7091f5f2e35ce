import { expect, test } from 'vitest';
import { SttError } from '../../../core/errors.ts';
import { encodeBody, outputBody, thrownBody } from '../../../handler/runpod/result-body.ts';

const SHAPES: readonly [title: string, output: unknown, body: object][] = [
  ['text', 'hello', { output: 'hello' }],
  ['a number', 0, { output: 0 }],
  ['false', false, { output: false }],
  ['a list', [1, 2], { output: [1, 2] }],
  ['null', null, { output: null }],
  ['nothing', undefined, { output: null }],
  ['an object', { a: 1 }, { output: { a: 1 } }],
  ['an empty object', {}, {}],
  ['an error alone', { error: 'bad' }, { error: 'bad' }],
  ['an error beside output', { error: 'bad', x: 1 }, { output: { x: 1 }, error: 'bad' }],
  ['a list of errors', { error: ['a'] }, { error: ['a'] }],
  ['an error object', { error: { code: 'X' } }, { error: { code: 'X' } }],
  ['an empty error', { error: '', x: 1 }, { output: { x: 1 } }],
  ['a refresh', { refresh_worker: true, x: 1 }, { output: { x: 1 }, stopPod: true }],
  ['a refresh alone', { refresh_worker: true }, { stopPod: true }],
  ['no refresh', { refresh_worker: false, x: 1 }, { output: { x: 1 } }],
  [
    'special keys further down',
    { a: { error: 'e', refresh_worker: true } },
    {
      output: { a: { error: 'e', refresh_worker: true } },
    },
  ],
];

for (const [title, output, body] of SHAPES) {
  test(`a handler that returns ${title} posts ${JSON.stringify(body)}`, () => {
    expect(outputBody(output)).toEqual(body);
  });
}

test('a date is a value with a JSON form, not an object with keys', () => {
  expect(JSON.stringify(outputBody(new Date(0)))).toBe('{"output":"1970-01-01T00:00:00.000Z"}');
});

test('a thrown error becomes a JSON text with the six keys of the SDK', () => {
  const reporter = { hostname: 'host', workerId: 'pod42', version: '0.1.0' };
  const { error } = thrownBody(new RangeError('boom'), reporter);
  expect(JSON.parse(String(error))).toEqual({
    error_type: 'RangeError',
    error_message: 'boom',
    error_traceback: expect.stringContaining('result-body.test.ts'),
    hostname: 'host',
    worker_id: 'pod42',
    runpod_version: '0.1.0',
  });
});

test('something thrown that is no error is reported as its text', () => {
  const reporter = { hostname: 'h', workerId: 'w', version: 'v' };
  const { error } = thrownBody('plain', reporter);
  expect(JSON.parse(String(error))).toMatchObject({ error_type: 'Error', error_message: 'plain' });
});

test('the size limit counts bytes, not characters', () => {
  expect(encodeBody({ output: '한국' }, 19)).toBe('{"output":"한국"}');
  expect(() => encodeBody({ output: '한국' }, 18)).toThrow(
    new SttError('RESULT_TOO_LARGE', 'Result has 19 bytes, allowed are 18'),
  );
});

test('a cycle and a bigint cannot be written', () => {
  const cycle: Record<string, unknown> = {};
  cycle['self'] = cycle;
  for (const output of [cycle, { big: 1n }]) {
    expect(() => encodeBody({ output }, 1000)).toThrow('cannot be written as JSON');
  }
});
