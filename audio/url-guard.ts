import { lookup } from 'node:dns/promises';
import type { LookupFunction } from 'node:net';
import ipaddr from 'ipaddr.js';
import { SttError } from '../core/errors.ts';

export interface UrlPolicy {
  readonly allowHttp: boolean;
  /** Any address and any port; scheme and credentials are still checked. */
  readonly allowPrivateUrls: boolean;
}

export interface HostAddress {
  readonly address: string;
  readonly family: number;
}

/** A URL together with the only addresses that a connection for it may go to. */
export interface CheckedUrl {
  readonly url: URL;
  readonly addresses: readonly HostAddress[];
}

export type ResolveHost = (hostname: string) => Promise<readonly HostAddress[]>;

const PUBLIC_PORTS: ReadonlySet<string> = new Set(['', '80', '443']);

const GLOBAL_UNICAST_V6 = ipaddr.IPv6.parseCIDR('2000::/3');

const resolveByDns: ResolveHost = (hostname) => lookup(hostname, { all: true });

/**
 * Guarantees that the URL is one we may ask and that every address of its host is public.
 * The host is resolved here and never again: connect with `pinnedLookup`.
 * @throws {SttError} URL_FORBIDDEN. A failing resolver's own error passes through.
 */
export async function checkUrl(
  rawUrl: string | URL,
  policy: UrlPolicy,
  resolveHost: ResolveHost = resolveByDns,
): Promise<CheckedUrl> {
  const url = parseUrl(rawUrl, policy);
  const hostname = url.hostname.replace(/^\[|\]$/g, '');
  const addresses = ipaddr.isValid(hostname)
    ? [{ address: hostname, family: ipaddr.parse(hostname).kind() === 'ipv6' ? 6 : 4 }]
    : await resolveHost(hostname);
  if (!policy.allowPrivateUrls && !addresses.every(({ address }) => isPublicAddress(address))) {
    throw new SttError(
      'URL_FORBIDDEN',
      'The URL leads to a private address; ALLOW_PRIVATE_URLS permits those',
    );
  }
  return { url, addresses };
}

/**
 * Where a redirect leads; it must be checked like any other URL.
 * @throws {SttError} URL_FORBIDDEN if it is not a URL, or leaves https.
 */
export function resolveRedirect(location: string, from: URL): URL {
  if (!URL.canParse(location, from.href)) {
    throw new SttError('URL_FORBIDDEN', 'The URL redirects to something that is not a URL');
  }
  const target = new URL(location, from);
  if (from.protocol === 'https:' && target.protocol === 'http:') {
    throw new SttError('URL_FORBIDDEN', 'The URL redirects from https to http');
  }
  return target;
}

/** A `connect.lookup` that answers with checked addresses only, whatever the DNS says by now. */
export function pinnedLookup(addresses: readonly HostAddress[]): LookupFunction {
  return (_hostname, options, callback) => {
    const [first] = addresses;
    if (first === undefined) callback(new Error('The host has no address'), '');
    else if (options.all === true) callback(null, [...addresses]);
    else callback(null, first.address, first.family);
  };
}

/** WHATWG parsing turns 2130706433, 0x7f.1, 0177.0.0.1 and full-width digits into 127.0.0.1. */
function parseUrl(rawUrl: string | URL, policy: UrlPolicy): URL {
  if (!URL.canParse(String(rawUrl))) throw new SttError('URL_FORBIDDEN', 'The URL is not valid');
  const url = new URL(rawUrl);
  if (url.protocol !== 'https:' && !(policy.allowHttp && url.protocol === 'http:')) {
    throw new SttError(
      'URL_FORBIDDEN',
      policy.allowHttp
        ? 'The URL must begin with https: or http:'
        : 'The URL must begin with https: (ALLOW_HTTP_URLS permits http:)',
    );
  }
  if (url.username !== '' || url.password !== '') {
    throw new SttError('URL_FORBIDDEN', 'The URL must not carry a user name or password');
  }
  if (!policy.allowPrivateUrls && !PUBLIC_PORTS.has(url.port)) {
    throw new SttError('URL_FORBIDDEN', 'The URL must use port 80 or 443');
  }
  return url;
}

/**
 * `process` unwraps IPv4-mapped IPv6, and every special range has a name other than unicast, but
 * for what the whole of IPv6 outside 2000::/3 hides, such as 127.0.0.1 written as ::7f00:1.
 */
function isPublicAddress(text: string): boolean {
  if (!ipaddr.isValid(text)) return false;
  const address = ipaddr.process(text);
  if (address.range() !== 'unicast') return false;
  return address instanceof ipaddr.IPv4 || address.match(GLOBAL_UNICAST_V6);
}
