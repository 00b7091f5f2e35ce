import { isIP } from 'node:net';
import type { FastifyInstance } from 'fastify';
import type { Config } from '../../core/config.ts';
import { SttError } from '../../core/errors.ts';

const DEFAULT_PORT = 8001;
const LOOPBACK = '127.0.0.1';
const EVERY_ADDRESS = '0.0.0.0';

/**
 * Without keys only this machine may ask, unless the operator says that something else asks for
 * credentials.
 * @throws {SttError} INPUT_INVALID
 */
export function hostOf({ host, allowAnonymous }: Config['service'], hasKeys: boolean): string {
  if (hasKeys || allowAnonymous) return host ?? EVERY_ADDRESS;
  if (host === undefined || isLoopback(host)) return host ?? LOOPBACK;
  throw new SttError(
    'INPUT_INVALID',
    'HOST is not loopback and there are no keys: set API_KEYS or API_KEYS_FILE, or ALLOW_ANONYMOUS',
  );
}

/** Whether a host name or address is this machine's own. */
export const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));

/** The port that it listens on. @throws {SttError} INPUT_INVALID when the address is taken or cannot be had. */
export async function listen(
  app: FastifyInstance,
  host: string,
  port: number = DEFAULT_PORT,
): Promise<number> {
  await app.listen({ host, port }).catch((cause: unknown) => {
    throw new SttError('INPUT_INVALID', `Port ${port} of HOST cannot be listened on`, { cause });
  });
  return portOf(app);
}

function portOf(app: FastifyInstance): number {
  const address = app.server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}
