import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { errorCode } from './disk.ts';
import { TransientFailure } from './retry.ts';

/** The head of a response, with its body still to come; one of the last three must be called. */
export interface Answer {
  readonly url: URL;
  readonly status: number;
  /** Undefined as well where a server sent it more than once. */
  header(name: string): string | undefined;
  chunks(): AsyncGenerator<Uint8Array>;
  /** Reads the rest unseen, so that the connection can serve again. */
  skip(): void;
  /** Ends the connection. */
  abandon(): void;
}

/** Connections that are used again, over both protocols. */
export class Connections {
  readonly #http = new HttpAgent({ keepAlive: true });
  readonly #https = new HttpsAgent({ keepAlive: true });

  /** One GET. @throws {TransientFailure} and the signal's reason. */
  async get(
    url: URL,
    headers: Record<string, string>,
    { stallMs, signal }: { stallMs: number; signal: AbortSignal },
  ): Promise<Answer> {
    const isSecure = url.protocol === 'https:';
    const request = isSecure
      ? httpsRequest(url, { agent: this.#https, headers, signal })
      : httpRequest(url, { agent: this.#http, headers, signal });
    const stalled = new TransientFailure(`The host sent nothing for ${stallMs} ms`);
    let silent: { destroy(error: Error): unknown } = request;
    const timer = setTimeout(() => silent.destroy(stalled), stallMs);
    try {
      const response = await new Promise<IncomingMessage>((resolve, reject) => {
        request.once('response', resolve).on('error', reject).end();
      });
      silent = response; // destroying the request would hide the reason from the body's reader
      response.on('error', () => undefined); // closing early is not a failure
      response.once('close', () => clearTimeout(timer));
      timer.refresh();
      return describe(url, response, { timer, signal });
    } catch (thrown) {
      clearTimeout(timer);
      this.#dropIdle();
      throw explain(thrown, signal, { isConnection: true });
    }
  }

  close(): void {
    this.#http.destroy();
    this.#https.destroy();
  }

  /** After a freeze of the process every idle connection is dead, not only the one that showed it. */
  #dropIdle(): void {
    for (const agent of [this.#http, this.#https]) {
      for (const socket of Object.values(agent.freeSockets).flat()) socket?.destroy();
    }
  }
}

interface Watch {
  readonly timer: NodeJS.Timeout;
  readonly signal: AbortSignal;
}

function describe(url: URL, response: IncomingMessage, watch: Watch): Answer {
  return {
    url,
    status: response.statusCode ?? 0,
    header: (name) => {
      const value = response.headers[name];
      return typeof value === 'string' ? value : undefined;
    },
    chunks: () => readBody(response, watch),
    skip: () => void response.resume(),
    abandon: () => void response.destroy(),
  };
}

async function* readBody(
  response: IncomingMessage,
  { timer, signal }: Watch,
): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of response) {
      yield chunk as Uint8Array;
      timer.refresh(); // after the yield, so that a slow disk is not taken for a slow host
    }
  } catch (thrown) {
    throw explain(thrown, signal, { isConnection: false });
  }
}

function explain(
  thrown: unknown,
  signal: AbortSignal,
  { isConnection }: { isConnection: boolean },
) {
  if (signal.aborted) return signal.reason;
  if (thrown instanceof TransientFailure) return thrown;
  const code = errorCode(thrown);
  const reason = isConnection
    ? 'The connection to the host failed'
    : 'The host ended the download early';
  return new TransientFailure(code === undefined ? reason : `${reason} (${code})`, {
    cause: thrown,
    isConnection,
  });
}
