import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';

interface ReceivedRequest {
  readonly method: string;
  readonly path: string;
  readonly authorization: string | undefined;
  readonly body: unknown;
}

/** What the endpoint answers to one request; a number is a bare HTTP status. */
type Answer = number | Readonly<Record<string, unknown>>;

export interface ClientApiScript {
  /** Answers to `POST /run`, in order; the last one is repeated. */
  readonly run?: readonly Answer[];
  /** Answers to `GET /status`, in order; the last one is repeated. */
  readonly status: readonly Answer[];
  /** The answer to every `POST /cancel`. */
  readonly cancel?: Answer;
}

export interface RunpodClientApi {
  readonly baseUrl: string;
  readonly requests: readonly ReceivedRequest[];
  close(): Promise<void>;
}

const QUEUED = { id: 'remote-1', status: 'IN_QUEUE' };

/** RunPod's client API (`/v2/ENDPOINT/run`, `/status`, `/cancel`) on 127.0.0.1, from a script. */
export async function startRunpodClientApi(script: ClientApiScript): Promise<RunpodClientApi> {
  const requests: ReceivedRequest[] = [];
  const runAnswers = [...(script.run ?? [QUEUED])];
  const statusAnswers = [...script.status];
  const answerTo = (path: string): Answer => {
    if (path.endsWith('/run')) return nextOf(runAnswers);
    if (path.includes('/status/')) return nextOf(statusAnswers);
    if (path.includes('/cancel/')) return script.cancel ?? { id: 'remote-1', status: 'CANCELLED' };
    return 404;
  };
  const server = createServer(async (request, response) => {
    const { method = '', url = '' } = request;
    const { authorization } = request.headers;
    requests.push({ method, path: url, authorization, body: await readBody(request) });
    const answer = answerTo(url);
    if (typeof answer === 'number') response.writeHead(answer).end();
    else {
      const body = JSON.stringify({ id: 'remote-1', ...answer });
      response.writeHead(200, { 'content-type': 'application/json' }).end(body);
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    baseUrl: `http://127.0.0.1:${port}/v2`,
    requests,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

const nextOf = (answers: Answer[]): Answer =>
  (answers.length > 1 ? answers.shift() : answers[0]) ?? 404;

async function readBody(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  const text = Buffer.concat(chunks).toString();
  return text === '' ? undefined : JSON.parse(text);
}
