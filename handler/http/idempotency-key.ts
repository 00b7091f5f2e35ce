import type { FastifyRequest } from 'fastify';
import { SttError } from '../../core/errors.ts';

const MAX_KEY_CHARS = 255;

/** The caller's name for a request that it may have to repeat. @throws {SttError} INPUT_INVALID */
export function idempotencyKeyOf({ headers }: FastifyRequest): string | null {
  const { 'idempotency-key': key } = headers;
  if (key === undefined) return null;
  if (typeof key === 'string' && key !== '' && key.length <= MAX_KEY_CHARS) return key;
  throw new SttError('INPUT_INVALID', `Idempotency-Key: expected 1-${MAX_KEY_CHARS} characters`);
}

/** A job that is waited for ends with its request: a key would promise what is not kept. */
export function assertNotIdempotent({ headers }: FastifyRequest): void {
  if (headers['idempotency-key'] === undefined) return;
  throw new SttError('INPUT_INVALID', 'Idempotency-Key: is kept for asynchronous jobs only');
}
