import { expect, test } from 'vitest';
import { SttError } from '../../core/errors.ts';
import { createLogger, type LogLevel } from '../../core/logger.ts';

function harness(level: LogLevel = 'info') {
  const lines: string[] = [];
  const logger = createLogger(level, { write: (line: string) => lines.push(line) });
  return { lines, logger, first: () => JSON.parse(lines[0] ?? 'null') };
}

const CANARY = 'c4nary';

test.each([
  'authorization',
  'apiKey',
  'token',
  'audio_base64',
  'audio_url',
  'audioUrl',
  'url',
  'text',
  'transcript',
  'words',
  'prompt',
  'initial_prompt',
  'keywords',
])('%s is never logged, at any of three depths', (field) => {
  const { logger, lines } = harness();
  const secret = { [field]: CANARY };
  logger.info({ ...secret, input: secret, job: { input: secret } }, 'job completed');
  logger.child(secret).info('job completed');
  expect(lines.join('')).not.toContain(CANARY);
  expect(lines.join('')).toContain('[redacted]');
});

test('a foreign error keeps its type and place, not its message, through the whole cause chain', () => {
  const { logger, first, lines } = harness();
  const cause = new TypeError(`fetch failed: https://x/?token=${CANARY}`);
  const err = new SttError('AUDIO_FETCH_FAILED', 'The host answered 500', { cause });
  logger.error({ err }, 'job failed');
  expect(first().err).toMatchObject({
    type: 'SttError',
    code: 'AUDIO_FETCH_FAILED',
    message: 'The host answered 500',
    cause: { type: 'TypeError' },
  });
  expect(first().err.cause.frames[0]).toContain('logger.test');
  expect(lines.join('')).not.toContain(CANARY);
});

test('something thrown that is no error is named by its type', () => {
  const { logger, first, lines } = harness();
  logger.error({ err: CANARY }, 'job failed');
  expect(first().err).toEqual({ type: 'string' });
  expect(lines.join('')).not.toContain(CANARY);
});

test('a line is JSON with time, level name, message and bound fields, and nothing of the host', () => {
  const { logger, first } = harness();
  logger.child({ requestId: 'job-1' }).info({ audioSec: 4 }, 'job completed');
  const { time, ...rest } = first();
  expect(rest).toEqual({
    level: 'INFO',
    requestId: 'job-1',
    audioSec: 4,
    message: 'job completed',
  });
  expect(new Date(time).toISOString()).toBe(time);
});

test('lines below the level are not written', () => {
  const { logger, lines } = harness('warn');
  logger.info('job completed');
  logger.warn('spool left behind');
  expect(lines).toHaveLength(1);
});
