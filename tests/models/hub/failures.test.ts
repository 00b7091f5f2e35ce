import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { createLogger } from '../../../core/logger.ts';
import { downloadLog } from '../../../models/hub/download-log.ts';
import { whisperFiles } from '../../../models/hub/needs.ts';
import { resolveModel } from '../../../models/hub/resolve-model.ts';
import {
  bytesSent,
  bytesSentTwice,
  digestsIn,
  digestsOf,
  failureOf,
  filesBelow,
  noLocks,
  nothingVisible,
  QUICK,
  REPO,
  until,
  WANTED,
  WEIGHT_BYTES,
  whisperRepo,
  workbench,
} from './hub-workbench.ts';

const WEIGHTS = 'model.safetensors';
const ALL_WELL = digestsIn(whisperRepo(), WANTED);

describe('a host that fails in passing', () => {
  test.each(['api', 'resolve', 'content'] as const)(
    'is asked again after a 500 (%s)',
    async (on) => {
      const { hub, resolve, retries } = await workbench();
      hub.fail({ on, times: 2, kind: { status: 500 } });
      expect(await digestsOf(await resolve())).toEqual(ALL_WELL);
      expect(retries).toHaveLength(2);
      expect(retries[0]!.reason).toBe('The host answered 500');
    },
  );

  test('is given the time that it asks for with a 429', async () => {
    const { hub, resolve, retries } = await workbench();
    hub.fail({ on: 'api', times: 1, kind: { status: 429, headers: { 'retry-after': '1' } } });
    const startedAtMs = performance.now();
    await resolve();
    expect(performance.now() - startedAtMs).toBeGreaterThan(990);
    expect(retries).toMatchObject([{ waitMs: 1000, reason: 'The host answered 429' }]);
  });

  test('is in the log while it makes a start wait, without its address', async () => {
    const { hub, resolve } = await workbench();
    hub.fail({ on: 'api', times: 1, kind: { status: 429, headers: { 'retry-after': '0' } } });
    const lines: string[] = [];
    const logger = createLogger('info', { write: (line: string) => lines.push(line) });
    const hooks = downloadLog(logger);
    await resolve(REPO, { hooks });
    hooks.onWait?.(WEIGHTS);
    hooks.onPinMissed?.({ model: REPO, pinned: 'abc', used: 'main' });
    expect(lines.map((line) => JSON.parse(line))).toMatchObject([
      { message: 'model download retried', level: 'WARN', reason: 'The host answered 429' },
      { message: 'model awaited from another process', file: WEIGHTS },
      { message: 'model is not the pinned one', model: REPO, used: 'main' },
    ]);
    expect(lines.join()).not.toMatch(/https?:|127\.0\.0\.1/);
  });

  test('is not waited for when it asks for too much', async () => {
    const { hub, resolve } = await workbench();
    hub.fail({ on: 'api', times: 1, kind: { status: 429, headers: { 'retry-after': '3600' } } });
    const failure = await failureOf(resolve());
    expect(failure.code).toBe('MODEL_DOWNLOAD_FAILED');
    expect(failure.message).toBe('The host answered 429 and asks to come back in 3600 s');
  });

  test('is given up after some failures in a row, and goes on later where it stopped', async () => {
    const bench = await workbench();
    bench.hub.fail({ on: 'content', file: WEIGHTS, times: 1, kind: { cutAfterBytes: 40_000 } });
    bench.hub.fail({ on: 'content', file: WEIGHTS, times: 99, kind: { status: 503 } });
    const failure = await failureOf(
      bench.resolve(REPO, { tuning: { ...QUICK, connections: 1, attempts: 3 } }),
    );
    expect(failure.code).toBe('MODEL_DOWNLOAD_FAILED');
    expect(failure.message).toBe('The host answered 503, 3 times in a row');
    expect(failure.retryable).toBe(true);
    expect(await nothingVisible(bench)).toBe(true);
    expect(await noLocks(bench)).toBe(true);
  });

  test('after a cut only sends what is still missing', async () => {
    const { hub, resolve } = await workbench();
    hub.fail({ on: 'content', file: WEIGHTS, times: 6, kind: { cutAfterBytes: 40_000 } });
    expect(await digestsOf(await resolve())).toEqual(ALL_WELL);
    expect(bytesSentTwice(hub, WEIGHTS)).toBe(0);
    expect(bytesSent(hub, WEIGHTS)).toBe(WEIGHT_BYTES);
  });

  test('may cut as often as it likes as long as something arrives', async () => {
    const { hub, resolve } = await workbench();
    hub.fail({ on: 'content', file: WEIGHTS, times: 30, kind: { cutAfterBytes: 8000 } });
    expect(await digestsOf(await resolve())).toEqual(ALL_WELL);
  });

  test('may cut although it knows no ranges', async () => {
    const { hub, resolve } = await workbench();
    const cut = { ignoreRange: true, cutAfterBytes: 200_000 } as const;
    hub.fail({ on: 'content', file: WEIGHTS, times: 1, kind: cut });
    hub.fail({ on: 'content', file: WEIGHTS, times: 99, kind: { ignoreRange: true } });
    expect(await digestsOf(await resolve())).toEqual(ALL_WELL);
  });

  test('is left when it goes silent', async () => {
    const { hub, resolve, retries } = await workbench();
    hub.fail({ on: 'content', file: WEIGHTS, times: 1, kind: { stallAfterBytes: 10_000 } });
    expect(await digestsOf(await resolve())).toEqual(ALL_WELL);
    expect(retries.map(({ reason }) => reason)).toEqual(['The host sent nothing for 1000 ms']);
    expect(bytesSentTwice(hub, WEIGHTS)).toBe(0);
  });

  test('is not left while it is only slow', async () => {
    const { hub, resolve, retries } = await workbench();
    hub.fail({ on: 'content', file: WEIGHTS, times: 2, kind: { bytesPerSec: 60_000 } });
    expect(await digestsOf(await resolve())).toEqual(ALL_WELL);
    expect(retries).toEqual([]);
  });

  test('is asked at the Hub again when its link has expired', async () => {
    const { hub, resolve } = await workbench();
    hub.fail({ on: 'content', file: WEIGHTS, times: 1, kind: { bytesPerSec: 1e6 } });
    hub.fail({ on: 'content', file: WEIGHTS, times: 2, kind: { status: 403 } });
    // One after the other: a request that was under way may bring the old link back, still good.
    const tuning = { ...QUICK, connections: 1 };
    expect(await digestsOf(await resolve(REPO, { tuning }))).toEqual(ALL_WELL);
    const links = hub.requests.filter((r) => r.server === 'hub' && r.file === WEIGHTS);
    expect(links.length).toBeGreaterThan(1);
  });

  test('is told from one that is not there', async () => {
    const { hub, resolve, retries } = await workbench();
    await hub.close();
    const failure = await failureOf(resolve());
    expect(failure.code).toBe('MODEL_DOWNLOAD_FAILED');
    expect(failure.message).toContain('The connection to the host failed (ECONNREFUSED)');
    expect(retries[0]!.waitMs).toBe(0); // a fresh connection is worth trying at once
    expect(retries[1]!.waitMs).toBeGreaterThan(0);
  });
});

describe('content that is not what was asked for', () => {
  test.each([WEIGHTS, 'tokenizer.json'])('is fetched once more (%s)', async (file) => {
    const { hub, resolve, retries } = await workbench();
    hub.fail({ on: 'content', file, times: 1, kind: { wrongContent: true } });
    expect(await digestsOf(await resolve())).toEqual(ALL_WELL);
    expect(retries).toMatchObject([{ file, reason: 'The content did not match its checksum' }]);
  });

  test('is given up then, and leaves nothing', async () => {
    const bench = await workbench();
    bench.hub.fail({ on: 'content', file: WEIGHTS, times: 99, kind: { wrongContent: true } });
    const failure = await failureOf(bench.resolve());
    expect(failure.code).toBe('MODEL_DOWNLOAD_FAILED');
    expect(failure.message).toContain('does not match its checksum');
    expect(bytesSent(bench.hub, WEIGHTS)).toBe(2 * WEIGHT_BYTES);
    expect(await nothingVisible(bench)).toBe(true);
    expect(await noLocks(bench)).toBe(true);
    const blobs = await filesBelow(join(bench.repoFolder, 'blobs'));
    expect(blobs.filter((name) => name.includes('stt'))).toEqual([]);
  });
});

describe('a model that the Hub does not give', () => {
  test.each([undefined, 'hf_of_someone_else'])(
    'is gated: the message says what to do (token %s)',
    async (token) => {
      const bench = await workbench({ ...whisperRepo(), gated: true });
      const failure = await failureOf(bench.resolve(REPO, { token }));
      expect(failure.code).toBe('MODEL_ACCESS_DENIED');
      expect(failure.message).toContain('accept the licence on the model page and set HF_TOKEN');
      expect(await nothingVisible(bench)).toBe(true);
      expect(bench.retries).toEqual([]);
    },
  );

  test('is unknown or private', async () => {
    const { resolve } = await workbench();
    const failure = await failureOf(resolve('someone/else'));
    expect(failure.code).toBe('MODEL_NOT_FOUND');
    expect(failure.message).toBe(
      'The Hub has no model someone/else, or it is private and HF_TOKEN is not set',
    );
  });

  test('has no such revision', async () => {
    const { resolve } = await workbench();
    const failure = await failureOf(resolve(`${REPO}@v2`));
    expect(failure).toMatchObject({
      code: 'MODEL_NOT_FOUND',
      message: `${REPO} has no revision v2`,
    });
  });
});

describe('an abort', () => {
  test('in the middle stops every request, keeps what is there and shows nothing', async () => {
    const bench = await workbench();
    const { hub, options } = bench;
    hub.fail({ on: 'content', file: WEIGHTS, times: 99, kind: { bytesPerSec: 100_000 } });
    const cancel = new AbortController();
    const work = resolveModel(REPO, whisperFiles, options, cancel.signal);
    await until(() => bytesSent(hub, WEIGHTS) > 30_000);
    const startedAtMs = performance.now();
    cancel.abort();
    await expect(work).rejects.toBe(cancel.signal.reason);
    expect(performance.now() - startedAtMs).toBeLessThan(1000);
    expect(await nothingVisible(bench)).toBe(true);
    expect(await noLocks(bench)).toBe(true);
    expect((await filesBelow(bench.repoFolder)).join()).toContain('.stt-partial');
  });

  test('before the start asks nothing', async () => {
    const { hub, options } = await workbench();
    const signal = AbortSignal.abort();
    await expect(resolveModel(REPO, whisperFiles, options, signal)).rejects.toBe(signal.reason);
    expect(hub.requests).toEqual([]);
  });
});

test('at no moment is anything half-written under snapshots/', async () => {
  const bench = await workbench();
  bench.hub.fail({ on: 'content', times: 4, kind: { cutAfterBytes: 20_000 } });
  bench.hub.fail({ on: 'content', times: 6, kind: { bytesPerSec: 400_000 } });
  let isDone = false;
  const work = bench.resolve().finally(() => {
    isDone = true;
  });
  const folder = join(bench.repoFolder, 'snapshots');
  let looks = 0;
  while (!isDone) {
    const names = await filesBelow(folder);
    for (const name of names) {
      const [commit, ...file] = name.split('/');
      const found = await digestsOf({
        folder: join(folder, commit!),
        revision: null,
        source: 'folder',
      });
      expect(found[file.join('/')]).toBe(ALL_WELL[file.join('/')]);
    }
    looks += 1;
    await new Promise((resolve) => setImmediate(resolve));
  }
  await work;
  expect(looks).toBeGreaterThan(10);
});
