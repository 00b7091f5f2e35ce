import { once } from 'node:events';
import WebSocket from 'ws';

export interface Heard {
  readonly type: string;
  readonly [field: string]: unknown;
}

/** A client on a real socket that keeps all that it hears. */
export class LiveClient {
  readonly heard: Heard[] = [];
  readonly socket: WebSocket;
  /** Code and reason once the socket is closed. */
  readonly closed: Promise<readonly [number, string]>;
  #wake: () => void = () => {};

  constructor(url: string, headers: Record<string, string> = {}, protocols: string[] = []) {
    this.socket = new WebSocket(url, protocols, { headers });
    this.closed = once(this.socket, 'close').then(([code, reason]) => [code, String(reason)]);
    this.socket.on('message', (data) => {
      this.heard.push(JSON.parse(String(data)) as Heard);
      this.#wake();
    });
    this.socket.on('error', () => undefined);
    this.socket.on('close', () => this.#wake());
  }

  async send(...messages: readonly (object | Buffer)[]): Promise<void> {
    if (this.socket.readyState === WebSocket.CONNECTING) await once(this.socket, 'open');
    for (const message of messages) {
      this.socket.send(Buffer.isBuffer(message) ? message : JSON.stringify(message));
    }
  }

  /** The first message of the type that has come or will come. */
  async hears(type: string, matches: (message: Heard) => boolean = () => true): Promise<Heard> {
    for (;;) {
      const found = this.heard.find((message) => message.type === type && matches(message));
      if (found) return found;
      if (this.socket.readyState === WebSocket.CLOSED) throw new Error(`Closed without ${type}`);
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  /** As if the network had gone away. */
  cut(): void {
    this.socket.terminate();
  }

  get finals(): Heard[] {
    return this.heard.filter(({ type }) => type === 'transcript_final');
  }

  get text(): string {
    return textOf(this.finals);
  }
}

export const textOf = (finals: readonly Heard[]): string =>
  finals
    .map(({ text }) => text)
    .join('')
    .trim();
