import type { FastifyRequest } from 'fastify';
import type { RealtimeCaller } from './contracts.ts';

/** The API key that the headers show, if they do. */
export function keyInHeaders({ headers }: FastifyRequest): string | undefined {
  const bearer = /^(?:Bearer|Token) +(\S+) *$/i.exec(headers.authorization ?? '')?.[1];
  const { 'x-api-key': apiKey } = headers;
  return bearer ?? (typeof apiKey === 'string' ? apiKey.trim() : undefined);
}

/** Where no key is asked for, pages of other sites must not use the visitor's own service. */
export function isTrustedOrigin(
  { headers }: FastifyRequest,
  caller: RealtimeCaller | undefined,
): boolean {
  const { origin, host } = headers;
  if (origin === undefined || caller === undefined || caller.tenant !== null) return true;
  const url = URL.canParse(origin) ? new URL(origin) : undefined;
  if (url === undefined) return false;
  return url.host === host || ['localhost', '127.0.0.1', '[::1]'].includes(url.hostname);
}
