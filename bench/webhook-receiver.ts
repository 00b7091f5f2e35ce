import { once } from 'node:events';
import { createServer } from 'node:http';
import { text } from 'node:stream/consumers';
import { Webhook } from 'standardwebhooks';

export interface Receiver {
  readonly url: string;
  /** How many of the jobs were announced. */
  countOf(jobIds: readonly string[]): number;
  /** Messages that came again, and those of them that said something else. */
  repeatsOf(jobIds: readonly string[]): { readonly repeated: number; readonly different: number };
  close(): Promise<void>;
}

/** A real receiver of webhooks that checks their signatures and remembers what came. */
export async function startReceiver(secret: string): Promise<Receiver> {
  const bodies = new Map<string, string[]>();
  const server = createServer(async (request, response) => {
    const body = await text(request);
    const headers = Object.fromEntries(
      Object.entries(request.headers).map(([name, value]) => [name, String(value)]),
    );
    new Webhook(secret).verify(body, headers);
    const id = headers['webhook-id'] ?? '';
    bodies.set(id, [...(bodies.get(id) ?? []), body]);
    response.writeHead(204).end();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const messagesOf = (jobId: string): readonly string[] => bodies.get(`msg_${jobId}`) ?? [];
  return {
    url: `http://127.0.0.1:${port}/webhook`,
    countOf: (jobIds) => jobIds.filter((id) => messagesOf(id).length > 0).length,
    repeatsOf: (jobIds) => ({
      repeated: jobIds.reduce((sum, id) => sum + Math.max(0, messagesOf(id).length - 1), 0),
      different: jobIds.filter((id) => new Set(messagesOf(id).map(dataOf)).size > 1).length,
    }),
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

/** All but the time of sending. */
function dataOf(body: string): string {
  const { data } = JSON.parse(body) as { readonly data: unknown };
  return JSON.stringify(data);
}
