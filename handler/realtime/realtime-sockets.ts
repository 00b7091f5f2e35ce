import type { WebSocket } from '@fastify/websocket';
import type { SocketSpeaker, Wire } from './connection-parts.ts';

const PING_MS = 20_000;
/** A client that reads so slowly loses its socket; the session waits for it. */
const MAX_UNSENT_BYTES = 8 * 1024 * 1024;

/** The open sockets of live sessions, each with the one that speaks on it. */
export class RealtimeSockets {
  readonly #onClosed: (code: number) => void;
  readonly #speakers = new Set<SocketSpeaker>();

  constructor(onClosed: (code: number) => void = () => undefined) {
    this.#onClosed = onClosed;
  }

  /** Tells every client that the process stops. */
  restart(): void {
    for (const speaker of this.#speakers) speaker.restart();
  }

  serve(socket: WebSocket, speakOn: (wire: Wire) => SocketSpeaker): void {
    const speaker = speakOn(wireOf(socket));
    this.#speakers.add(speaker);
    const stopPinging = terminateWhenGone(socket);
    socket.on('message', (data: Buffer, isBinary: boolean) => {
      if (isBinary) speaker.receiveAudio(data);
      else speaker.receiveText(data.toString('utf8'));
    });
    socket.on('error', () => undefined); // A close follows.
    socket.on('close', (code: number) => {
      stopPinging();
      this.#onClosed(code);
      this.#speakers.delete(speaker);
      speaker.closed(code);
    });
  }
}

/** Closes a socket that is served by nobody. */
export function refuseSocket(socket: WebSocket, code: number, reason: string): void {
  socket.on('error', () => undefined);
  socket.close(code, reason);
}

function terminateWhenGone(socket: WebSocket): () => void {
  let isAlive = true;
  const live = (): void => {
    isAlive = true;
  };
  socket.on('pong', live);
  socket.on('message', live);
  const pinging = setInterval(() => {
    if (socket.isPaused) return; // Its pongs are not read either.
    if (!isAlive) return socket.terminate();
    isAlive = false;
    socket.ping();
  }, PING_MS).unref();
  return () => clearInterval(pinging);
}

const wireOf = (socket: WebSocket): Wire => ({
  send: (message) => {
    if (socket.bufferedAmount > MAX_UNSENT_BYTES) socket.terminate();
    else if (socket.readyState === socket.OPEN) socket.send(JSON.stringify(message));
  },
  close: (code, reason) => socket.close(code, reason),
  pause: () => socket.pause(),
  resume: () => socket.resume(),
});
