import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import type { Logger } from '../../core/logger.ts';
import { isLoopback } from './listen.ts';

const WARN_EVERY_MS = 60_000;
/** As a dual-stack socket names an address of version 4. */
const MAPPED = /^::ffff:/;

/** Closes connections beyond so many from one address; those of this machine, a proxy's, are its own. */
export function limitConnections(server: Server, maxPerAddress: number, logger: Logger): void {
  const open = new Map<string, number>();
  let warnedAtMs = Number.NEGATIVE_INFINITY;
  server.on('connection', (socket: Socket) => {
    const address = (socket.remoteAddress ?? '').replace(MAPPED, '');
    if (address === '' || isLoopback(address)) return;
    const count = (open.get(address) ?? 0) + 1;
    if (count > maxPerAddress) {
      socket.destroy();
      if (performance.now() - warnedAtMs < WARN_EVERY_MS) return;
      warnedAtMs = performance.now();
      logger.warn({ maxPerAddress }, 'connections of an address refused');
      return;
    }
    open.set(address, count);
    socket.once('close', () => {
      const left = (open.get(address) ?? 1) - 1;
      if (left > 0) open.set(address, left);
      else open.delete(address);
    });
  });
}
