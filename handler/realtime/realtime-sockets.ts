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
    const inbox = new SocketInbox(socket);
    const speaker = speakOn(wireOf(socket, inbox));
    this.#speakers.add(speaker);
    const stopPinging = terminateWhenGone(socket);
    socket.on('message', (data: Buffer, isBinary: boolean) => {
      inbox.add(data.length, () => {
        if (isBinary) speaker.receiveAudio(data);
        else speaker.receiveText(data.toString('utf8'));
      });
    });
    socket.on('error', () => undefined); // A close follows.
    socket.on('close', (code: number) => {
      stopPinging();
      inbox.add(0, () => {
        this.#onClosed(code);
        this.#speakers.delete(speaker);
        speaker.closed(code);
      });
    });
  }
}

/** What has come while the speaker takes nothing: about half a minute of audio as clients send it. */
const MAX_HELD_BYTES = 1024 * 1024;
/** Counted for every message, so that empty ones are not without number. */
const MESSAGE_BYTES = 256;

/**
 * What a socket has received, in order, until its speaker takes it. While the speaker holds it back the
 * socket is still read, so that pings are answered; only where too much has gathered it is not.
 */
class SocketInbox {
  readonly #socket: Pick<WebSocket, 'pause' | 'resume'>;
  readonly #waiting: { readonly bytes: number; deliver(): void }[] = [];
  #bytes = 0;
  #isHeld = false;
  #isDelivering = false;
  #isPaused = false;

  constructor(socket: Pick<WebSocket, 'pause' | 'resume'>) {
    this.#socket = socket;
  }

  add(bytes: number, deliver: () => void): void {
    this.#waiting.push({ bytes: bytes + MESSAGE_BYTES, deliver });
    this.#bytes += bytes + MESSAGE_BYTES;
    this.#deliver();
    if (this.#bytes <= MAX_HELD_BYTES || this.#isPaused) return;
    this.#isPaused = true;
    this.#socket.pause();
  }

  hold(): void {
    this.#isHeld = true;
  }

  release(): void {
    this.#isHeld = false;
    this.#deliver();
  }

  /** A message may make the speaker hold back those behind it. */
  #deliver(): void {
    if (this.#isDelivering) return;
    this.#isDelivering = true;
    try {
      while (!this.#isHeld) {
        const next = this.#waiting.shift();
        if (next === undefined) break;
        this.#bytes -= next.bytes;
        next.deliver();
      }
    } finally {
      this.#isDelivering = false;
    }
    if (!this.#isPaused || this.#bytes > MAX_HELD_BYTES) return;
    this.#isPaused = false;
    this.#socket.resume();
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

const wireOf = (socket: WebSocket, inbox: SocketInbox): Wire => ({
  send: (message) => {
    if (socket.bufferedAmount > MAX_UNSENT_BYTES) socket.terminate();
    else if (socket.readyState === socket.OPEN) socket.send(JSON.stringify(message));
  },
  close: (code, reason) => socket.close(code, reason),
  pause: () => inbox.hold(),
  resume: () => inbox.release(),
});
