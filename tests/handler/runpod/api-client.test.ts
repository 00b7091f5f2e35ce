import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { ApiClient } from '../../../handler/runpod/api-client.ts';

const POLL = { timeoutMs: 5000, graceMs: 0, maxBytes: 1000 };
const NEVER = new AbortController().signal;

/** A client and the URL of a server that answers as given. */
async function connected(listener: RequestListener) {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const client = new ApiClient({ Authorization: 'KEY123' });
  onTestFinished(async () => {
    await client.close();
    server.closeAllConnections();
    server.close();
  });
  return { client, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/` };
}

test('a poll that is cancelled before its reply brings nothing', async () => {
  const { client, url } = await connected(() => undefined);
  const cancel = new AbortController();
  const reply = client.poll(url, POLL, cancel.signal);
  await wait(30);
  cancel.abort();
  expect(await reply).toBeUndefined();
  expect(await client.poll(url, POLL, cancel.signal)).toBeUndefined();
});

test('a reply that has begun is read to its end though the poll is cancelled', async () => {
  const cancel = new AbortController();
  const { client, url } = await connected(async (_request, response) => {
    response.writeHead(200, { 'Content-Type': 'application/json' });
    response.write('{"id":');
    await wait(50);
    cancel.abort();
    await wait(50);
    response.end('"j1"}');
  });
  expect(await client.poll(url, POLL, cancel.signal)).toEqual({
    status: 200,
    contentType: 'application/json',
    body: '{"id":"j1"}',
  });
});

test('a reply that begins within the grace is read to its end, however late that is', async () => {
  const cancel = new AbortController();
  const { client, url } = await connected(async (_request, response) => {
    cancel.abort();
    await wait(50);
    response.flushHeaders();
    await wait(200);
    response.end('late');
  });
  const reply = await client.poll(url, { ...POLL, graceMs: 150 }, cancel.signal);
  expect(reply?.body).toBe('late');
});

test('a poll ends after its time', async () => {
  const { client, url } = await connected(() => undefined);
  expect(await client.poll(url, { ...POLL, timeoutMs: 30 }, NEVER)).toBeUndefined();
});

test('a reply beyond the size limit and a broken connection throw', async () => {
  const long = await connected((_request, response) => response.end('x'.repeat(1001)));
  await expect(long.client.poll(long.url, POLL, NEVER)).rejects.toThrow(RangeError);
  const broken = await connected((_request, response) => response.destroy());
  await expect(broken.client.poll(broken.url, POLL, NEVER)).rejects.toThrow();
});
