import type { IncomingHttpHeaders } from 'node:http';
import type { FastifyInstance } from 'fastify';
import { SttError } from '../../core/errors.ts';
import { isLoopback } from './listen.ts';
import type { ServiceContext } from './service-context.ts';

interface Trust {
  /** Nobody but this machine can connect, so nobody but a page that lies asks by another name. */
  readonly isLocal: boolean;
  readonly origins: ReadonlySet<string>;
}

/**
 * Without keys a browser's request is refused unless it comes from our own page or from an origin
 * of CORS_ORIGINS: pages of other sites could send forms here, and read answers under a name of
 * theirs that leads to this machine. For sockets too: their request comes first.
 */
export function refuseForeignPages(
  app: FastifyInstance,
  { keys, config }: Pick<ServiceContext, 'keys' | 'config'>,
): void {
  if (keys !== undefined) return;
  const trust: Trust = {
    isLocal: !config.service.allowAnonymous,
    origins: new Set(config.service.corsOrigins),
  };
  app.addHook('onRequest', async ({ headers }) => {
    const problem = problemOf(headers, trust);
    if (problem !== undefined) throw new SttError('ORIGIN_FORBIDDEN', problem);
  });
}

/** What is wrong with where a request comes from; undefined if nothing is. */
export function problemOf(headers: IncomingHttpHeaders, trust: Trust): string | undefined {
  const { host, origin } = headers;
  if (trust.isLocal && host !== undefined && !isLocalHost(hostnameOf(`http://${host}`))) {
    return 'Without API keys the service answers to localhost only, not to other host names';
  }
  if (origin === undefined || trust.origins.has('*') || trust.origins.has(origin)) return undefined;
  const isOwn = trust.isLocal ? isLocalHost(hostnameOf(origin)) : isSameSite(headers);
  return isOwn ? undefined : 'Without API keys pages of other sites are refused: see CORS_ORIGINS';
}

/** Browsers tell where they can; else the origin must be the host that was asked. */
function isSameSite({ host, origin, 'sec-fetch-site': site }: IncomingHttpHeaders): boolean {
  if (typeof site === 'string') return site === 'same-origin' || site === 'none';
  return origin !== undefined && URL.canParse(origin) && new URL(origin).host === host;
}

const hostnameOf = (url: string): string | undefined =>
  URL.canParse(url) ? new URL(url).hostname.replace(/^\[|\]$/g, '') : undefined;

const isLocalHost = (hostname: string | undefined): boolean =>
  hostname !== undefined && (isLoopback(hostname) || hostname.endsWith('.localhost'));
