import type { IncomingHttpHeaders } from 'node:http';
import { text } from 'node:stream/consumers';
import { Webhook } from 'standardwebhooks';
import { afterAll, afterEach, beforeEach, expect, test } from 'vitest';
import { checkWebhookUrl, postMessage } from '../../../handler/webhooks/post-message.ts';
import { outcomeOf, RETRY_WAITS_MS } from '../../../handler/webhooks/retry-schedule.ts';
import { startLoopbackServer } from '../../fakes/loopback-server.ts';
import { JobsBench, secretOf, submission, succeed, until, untilAborted } from './jobs-bench.ts';

const bench = new JobsBench();
beforeEach(() => bench.reset());
afterEach(() => bench.stop());
afterAll(() => bench.remove());

async function receiverAnswering(...statuses: number[]) {
  const received: { readonly body: string; readonly headers: IncomingHttpHeaders }[] = [];
  const server = await startLoopbackServer(async (request, response) => {
    received.push({ body: await text(request), headers: request.headers });
    const status = statuses[received.length - 1] ?? 200;
    response.writeHead(status, { location: '/elsewhere', 'content-length': 5 }).end('hello');
  });
  return { ...server, received };
}
const webhookOf = async (id: string) => (await bench.jobs.get('acme', id))?.webhook;

test('a webhook is signed with both secrets and sent again with the same id until it is taken', async () => {
  const receiver = await receiverAnswering(500, 302);
  await bench.jobs.submit(submission('a', { webhookUrl: receiver.url }));
  await until(async () => (await webhookOf('a'))?.state === 'delivered');
  expect(await webhookOf('a')).toEqual({ state: 'delivered', attempts: 3, lastStatus: 200 });
  expect(new Set(receiver.received.map(({ headers }) => headers['webhook-id']))).toEqual(
    new Set(['msg_a']),
  );
  expect(new Set(receiver.received.map(({ body }) => body)).size).toBe(1);
  expect(new Set(receiver.requests)).toEqual(new Set(['/audio']));
  for (const { body, headers } of receiver.received) {
    const flat = Object.fromEntries(
      Object.entries(headers).map(([name, value]) => [name, String(value)]),
    );
    for (const secret of ['new', 'old']) {
      expect(new Webhook(secretOf(secret)).verify(body, flat)).toMatchObject({
        type: 'job.completed',
        data: {
          job_id: 'a',
          status: 'completed',
          result: { language: 'en' },
          result_omitted: false,
        },
      });
    }
    expect(() => new Webhook(secretOf('other')).verify(body, flat)).toThrow();
  }
  expect(bench.lines.join('')).not.toContain(receiver.url);
  expect(bench.lines.join('')).not.toContain('fellow');
  await receiver.close();
});

test('a receiver that is gone is not asked again, one that keeps failing is given up', async () => {
  const gone = await receiverAnswering(410);
  const broken = await receiverAnswering(500, 500, 500, 500);
  await bench.jobs.submit(submission('a', { webhookUrl: gone.url }));
  await bench.jobs.submit(submission('b', { webhookUrl: broken.url }));
  await until(async () => (await webhookOf('a'))?.state === 'failed');
  await until(async () => (await webhookOf('b'))?.state === 'failed');
  expect(await webhookOf('a')).toEqual({ state: 'failed', attempts: 1, lastStatus: 410 });
  expect(await webhookOf('b')).toEqual({ state: 'failed', attempts: 3, lastStatus: 500 });
  await Promise.all([gone.close(), broken.close()]);
});

test('a delivery that waits is made after a restart', async () => {
  const receiver = await receiverAnswering(503);
  await bench.stop();
  await bench.start({ webhookWaitsMs: [200, 200] });
  await bench.jobs.submit(submission('a', { webhookUrl: receiver.url }));
  await until(async () => (await webhookOf('a'))?.lastStatus === 503);
  await bench.stop();
  await bench.start();
  await until(async () => (await webhookOf('a'))?.state === 'delivered');
  expect(await webhookOf('a')).toMatchObject({ attempts: 2, lastStatus: 200 });
  await receiver.close();
});

test('webhooks into private networks and without a secret are refused when the job is sent', async () => {
  const receiver = await receiverAnswering();
  const unsigned = submission('a', { tenant: 'nosecret', webhookUrl: receiver.url });
  await expect(bench.jobs.submit(unsigned)).rejects.toMatchObject({ code: 'INPUT_INVALID' });
  await bench.stop();
  await bench.start({ policy: { allowHttp: true, allowPrivateUrls: false } });
  for (const url of [
    'http://127.0.0.1/',
    'http://2130706433/',
    'http://[::ffff:7f00:1]/',
    'http://localhost/',
    'ftp://example.com/',
    'no url',
  ]) {
    const inside = bench.jobs.submit(submission('b', { webhookUrl: url }));
    await expect(inside).rejects.toMatchObject({ code: 'URL_FORBIDDEN' });
  }
  expect(receiver.requests).toEqual([]);
  await receiver.close();
});

test('a webhook that led outside and now leads inside is not asked', async () => {
  const receiver = await receiverAnswering();
  bench.execute = untilAborted;
  await bench.jobs.submit(submission('a', { webhookUrl: receiver.url }));
  await bench.stop();
  bench.execute = succeed;
  await bench.start({ policy: { allowHttp: true, allowPrivateUrls: false } });
  await until(async () => (await webhookOf('a'))?.state === 'failed');
  expect(await webhookOf('a')).toEqual({ state: 'failed', attempts: 3, lastStatus: null });
  expect(receiver.requests).toEqual([]);
  await receiver.close();
});

test('waits grow, are half random, heed the receiver within reason, and end', () => {
  const at = (attempts: number, random: number, retryAfterMs?: number) =>
    outcomeOf({ status: 500, retryAfterMs }, attempts, { random: () => random });
  expect(at(1, 0).retryMs).toBe(2500);
  expect(at(1, 1).retryMs).toBe(5000);
  expect(at(1, 1, 60_000).retryMs).toBe(60_000);
  expect(at(1, 1, 1e12).retryMs).toBe(6 * 3_600_000);
  expect(at(RETRY_WAITS_MS.length, 1).state).toBe('pending');
  expect(at(RETRY_WAITS_MS.length + 1, 1).state).toBe('failed');
  expect(RETRY_WAITS_MS.toSorted((a, b) => a - b)).toEqual(RETRY_WAITS_MS);
});

test('a name that nobody resolves ends an attempt in its time, and is refused when it is named', async () => {
  const policy = { allowHttp: true, allowPrivateUrls: true };
  const never = () => new Promise<never>(() => undefined);
  const message = { id: 'msg_a', body: '{}', headers: {} };
  const { signal } = new AbortController();
  const options = { policy, signal, check: never, timeoutMs: 20 };
  const answer = await postMessage('https://slow.example/', message, options);
  expect(answer).toMatchObject({ status: null });
  const unknown = checkWebhookUrl('https://none.example/', policy, () =>
    Promise.reject(new Error('ENOTFOUND')),
  );
  await expect(unknown).rejects.toMatchObject({ code: 'URL_FORBIDDEN' });
});
