import { createServer, type Server } from 'node:net';

/** Where hostile things point to: nothing may ever connect. */
export interface Victims {
  /** A port that scripts and URLs may name. */
  readonly port: number;
  /** Why some of the places are not watched; empty where all are. */
  readonly unwatched: readonly string[];
  readonly connections: readonly string[];
  close(): Promise<void>;
}

/** Watches a port of its own on every loopback address, and the ports that URLs have by default. */
export async function watchVictims(): Promise<Victims> {
  const connections: string[] = [];
  const servers: Server[] = [];
  const unwatched: string[] = [];
  const watch = async (host: string, port: number): Promise<number> => {
    const server = createServer((socket) => {
      connections.push(`${host}:${port}`);
      socket.destroy();
    });
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, host, resolve);
    });
    servers.push(server);
    const address = server.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  };
  const port = await watch('127.0.0.1', 0);
  const others = [
    ...['127.0.0.2', '::1'].map((host) => ({ host, port })),
    ...[80, 443, 21, 70].flatMap((each) =>
      ['127.0.0.1', '::1'].map((host) => ({ host, port: each })),
    ),
  ];
  for (const { host, port: each } of others) {
    await watch(host, each).catch((thrown: NodeJS.ErrnoException) => {
      unwatched.push(`${host} port ${each}: ${thrown.code}`);
    });
  }
  return {
    port,
    unwatched,
    connections,
    close: async () => {
      await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
    },
  };
}
