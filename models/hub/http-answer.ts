import { type Dispatcher, request } from 'undici';
import { errorCode } from './disk.ts';
import { ProxiedConnections, type Proxies } from './proxies.ts';
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

interface Patience {
  /** Longest silence of the host; time in which the reader is slow does not count. */
  readonly stallMs: number;
  readonly signal: AbortSignal;
}

export class Connections {
  readonly #connections: ProxiedConnections;

  constructor(proxies: Proxies, stallMs: number) {
    this.#connections = new ProxiedConnections(proxies, stallMs);
  }

  /** One GET; redirects are answers. @throws {TransientFailure} and the signal's reason. */
  async get(url: URL, headers: Record<string, string>, patience: Patience): Promise<Answer> {
    const { stallMs, signal } = patience;
    const timeouts = { headersTimeout: stallMs, bodyTimeout: stallMs };
    try {
      const dispatcher = this.#connections.for(url);
      const response = await request(url, { dispatcher, headers, signal, ...timeouts });
      response.body.on('error', () => undefined); // closing early is not a failure
      return describe(url, response, patience);
    } catch (thrown) {
      this.#connections.renew();
      throw explain(thrown, patience, { isConnection: true });
    }
  }

  close(): void {
    this.#connections.close();
  }
}

function describe(url: URL, response: Dispatcher.ResponseData, patience: Patience): Answer {
  const { statusCode: status, headers, body } = response;
  return {
    url,
    status,
    header: (name) => {
      const value = headers[name];
      return typeof value === 'string' ? value : undefined;
    },
    chunks: () => readBody(body, patience),
    skip: () => void body.dump().catch(() => undefined),
    abandon: () => void body.destroy(),
  };
}

async function* readBody(
  body: AsyncIterable<Uint8Array>,
  patience: Patience,
): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of body) yield chunk;
  } catch (thrown) {
    throw explain(thrown, patience, { isConnection: false });
  }
}

const SILENCE: ReadonlySet<string | undefined> = new Set([
  'UND_ERR_HEADERS_TIMEOUT',
  'UND_ERR_BODY_TIMEOUT',
]);

function explain(
  thrown: unknown,
  { stallMs, signal }: Patience,
  { isConnection }: { isConnection: boolean },
): unknown {
  if (signal.aborted) return signal.reason;
  if (thrown instanceof TransientFailure) return thrown;
  const code = errorCode(thrown);
  const reason = isConnection
    ? 'The connection to the host failed'
    : 'The host ended the download early';
  const text = proxyRefusal(thrown) ?? (code === undefined ? reason : `${reason} (${code})`);
  return SILENCE.has(code)
    ? new TransientFailure(`The host sent nothing for ${stallMs} ms`, { cause: thrown })
    : new TransientFailure(text, { cause: thrown, isConnection });
}

/** The package tells it in words only. */
function proxyRefusal(thrown: unknown): string | undefined {
  const text = thrown instanceof Error ? thrown.message : '';
  const status =
    /^Proxy response \((\d{3})\)/.exec(text)?.[1] ?? /^Proxy .*\((407)\)/.exec(text)?.[1];
  return status && `The proxy refused the connection with ${status}`;
}
