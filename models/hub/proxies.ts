import { Agent, type Dispatcher, EnvHttpProxyAgent } from 'undici';
import type { Config } from '../../core/config.ts';

export type Proxies = Config['hub']['proxies'];

/** Connections that are used again, through the proxy that is set for the protocol, if one is. */
export class ProxiedConnections {
  readonly #create: (protocol: string) => Dispatcher;
  readonly #byProtocol = new Map<string, Dispatcher>();

  constructor({ https, http, except }: Proxies, connectTimeoutMs: number) {
    const options = { connect: { timeout: connectTimeoutMs } };
    const through = (proxy: string | undefined, isTunnel: boolean): Dispatcher =>
      proxy === undefined
        ? new Agent(options)
        : new EnvHttpProxyAgent({
            ...options,
            httpProxy: proxy,
            noProxy: except ?? '', // else the package reads the environment by itself
            proxyTunnel: isTunnel,
          });
    this.#create = (protocol) =>
      protocol === 'https:' ? through(https, true) : through(http, false);
  }

  for({ protocol }: URL): Dispatcher {
    const known = this.#byProtocol.get(protocol) ?? this.#create(protocol);
    this.#byProtocol.set(protocol, known);
    return known;
  }

  /**
   * Later requests get fresh connections, those under way keep theirs: after a freeze of the process
   * every idle one is dead, not only the one that showed it.
   */
  renew(): void {
    for (const dispatcher of this.#byProtocol.values()) void dispatcher.close();
    this.#byProtocol.clear();
  }

  close(): void {
    for (const dispatcher of this.#byProtocol.values()) void dispatcher.destroy();
    this.#byProtocol.clear();
  }
}
