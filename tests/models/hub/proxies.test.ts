import { mkdir, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, request } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { loadConfig } from '../../../core/config.ts';
import { failureOf, QUICK, REPO, WANTED, whisperRepo, workbench } from './hub-workbench.ts';

/** A forward proxy on loopback that passes http on and answers CONNECT as it is told. */
async function startProxy(connectStatus: number) {
  const seen: string[] = [];
  const server = createServer((incoming, outgoing) => {
    seen.push(`${incoming.method} ${incoming.url}`);
    const { url = '', headers, method } = incoming;
    const onward = request(url, { method, headers }, (answer: IncomingMessage) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outgoing);
    });
    onward.end();
  });
  server.on('connect', ({ url, headers }: IncomingMessage, socket: Socket) => {
    seen.push(`CONNECT ${url} ${headers['proxy-authorization'] ?? ''}`.trim());
    socket.end(`HTTP/1.1 ${connectStatus} No\r\n\r\n`);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { seen, port: (server.address() as AddressInfo).port };
}

const proxiesOf = (env: NodeJS.ProcessEnv) => loadConfig(env).hub.proxies;

test('a model comes through the proxy that is set for the protocol, redirects included', async () => {
  const { hub, resolve } = await workbench();
  const { seen, port } = await startProxy(403);
  const proxies = proxiesOf({ http_proxy: `http://127.0.0.1:${port}` });
  expect((await resolve(REPO, { proxies })).source).toBe('download');
  expect(seen.length).toBe(hub.requests.length);
  expect(seen[0]).toMatch(/^GET http:\/\/127\.0\.0\.1:\d+\/api\/models\//);
  expect(seen.some((line) => line.includes('/lfs/'))).toBe(true);
});

test('hosts that are named need no proxy, nor does a protocol without one', async () => {
  const { seen, port } = await startProxy(403);
  const proxy = `http://127.0.0.1:${port}`;
  for (const env of [{ HTTP_PROXY: proxy, NO_PROXY: '127.0.0.1' }, { HTTPS_PROXY: proxy }]) {
    const { resolve } = await workbench();
    expect((await resolve(REPO, { proxies: proxiesOf(env) })).source).toBe('download');
  }
  expect(seen).toEqual([]);
});

test('https goes through a tunnel, with the proxy’s password; its refusal is told as such', async () => {
  const { resolve, retries } = await workbench();
  const { seen, port } = await startProxy(407);
  const proxies = proxiesOf({ HTTPS_PROXY: `http://user:secret@127.0.0.1:${port}` });
  const tuning = { ...QUICK, attempts: 2 };
  const failure = await failureOf(
    resolve(REPO, { proxies, tuning, endpoint: 'https://hub.example' }),
  );
  expect(failure.message).toBe('The proxy refused the connection with 407, 2 times in a row');
  expect(seen[0]).toBe(`CONNECT hub.example:443 Basic ${btoa('user:secret')}`);
  expect(JSON.stringify([failure, retries])).not.toMatch(/secret|hub\.example/);
});

test('a proxy that is no http address is refused without naming it', () => {
  expect(() => loadConfig({ HTTPS_PROXY: 'socks5://s3cret' })).toThrow(/^(?![\s\S]*s3cret).*/s);
  expect(() => loadConfig({ HTTPS_PROXY: 'socks5://s3cret' })).toThrow('HTTPS_PROXY');
});

test.each([
  ['HF_TOKEN', { token: 'from the environment' }, 'from the environment'],
  ['HF_TOKEN_PATH', { tokenPath: 'elsewhere' }, 'of another file'],
  ['the home of the cache', {}, 'of the home'],
])('the token is taken from %s', async (_, changes, token) => {
  const { hub, resolve, options, root } = await workbench(whisperRepo());
  await mkdir(options.home!);
  await writeFile(join(options.home!, 'token'), 'of the home\n');
  await writeFile(join(root, 'elsewhere'), ' of another file ');
  const tokenPath = 'tokenPath' in changes ? join(root, changes.tokenPath) : undefined;
  await resolve(REPO, { ...changes, ...(tokenPath && { tokenPath }) });
  const asked = hub.requests.filter(({ server }) => server === 'hub');
  expect(new Set(asked.map(({ authorization }) => authorization))).toEqual(
    new Set([`Bearer ${token}`]),
  );
  expect(asked.length).toBeGreaterThan(WANTED.length - 1);
});
