import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { loadConfig } from '../../../core/config.ts';
import { createLogger } from '../../../core/logger.ts';
import { InferenceEngine } from '../../../models/engine/engine.ts';
import { downloadLog } from '../../../models/hub/download-log.ts';
import { HubReach } from '../../../models/hub/hub-reach.ts';
import { ctcFiles } from '../../../models/hub/needs.ts';
import type { HubOptions } from '../../../models/hub/options.ts';
import { resolveModel } from '../../../models/hub/resolve-model.ts';
import { AlignmentRegistry } from '../../../models/wav2vec2/alignment-registry.ts';
import { alignTranscript } from '../../../pipeline/alignment/align-transcript.ts';
import type { Transcript } from '../../../pipeline/contracts.ts';
import { startHubServer } from '../../fakes/hub-server.ts';
import { failureOf, NEVER, QUICK, REPO, temporaryFolder, whisperRepo } from './hub-workbench.ts';

const KOREAN = 'kresnik/wav2vec2-large-xlsr-korean';

/** Takes requests and says nothing, as where a firewall drops what it does not like. */
async function startBlackHole() {
  let requests = 0;
  const server = createServer(() => {
    requests += 1;
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { endpoint: `http://127.0.0.1:${port}`, asked: () => requests };
}

async function startFailing(status: number) {
  const hub = await startHubServer({ [REPO]: whisperRepo() });
  const headers = status === 429 ? { 'retry-after': '1' } : {};
  hub.fail({ on: 'api', times: 99, kind: { status, headers } });
  onTestFinished(() => hub.close());
  return { endpoint: hub.endpoint, asked: () => hub.requests.length };
}

async function startRefusing() {
  const hub = await startHubServer({});
  await hub.close();
  return { endpoint: hub.endpoint };
}

async function optionsFor(endpoint: string, changes: Partial<HubOptions> = {}) {
  const home = await temporaryFolder();
  const { hub } = loadConfig({ RUNPOD_MODEL_CACHE: '', MODEL_VOLUME: '' });
  const unreachable: [reason: string, forMs: number][] = [];
  const retries: string[] = [];
  const options: HubOptions = {
    ...{ ...hub, endpoint, home, cache: join(home, 'hub') },
    // Patience would be seen: retries take seconds.
    tuning: { ...QUICK, backoffMs: 2000, reachMs: 300 },
    hooks: {
      onUnreachable: (...what) => unreachable.push(what),
      onRetry: ({ reason }) => retries.push(reason),
    },
    ...changes,
  };
  return { options, unreachable, retries };
}

const resolveOnce = (options: HubOptions, reach: HubReach) =>
  failureOf(resolveModel(KOREAN, ctcFiles, { ...options, reach }, NEVER));

afterEach(() => void vi.useRealTimers());

describe('a Hub that cannot be reached for a model that one can do without', () => {
  test.each([
    ['refuses connections', startRefusing, /The connection to the host failed \(ECONNREFUSED\)/],
    ['has no address', () => ({ endpoint: 'http://hub.invalid' }), /E(NOTFOUND|AI_AGAIN)|did not/],
    ['answers 503', () => startFailing(503), /The host answered 503/],
    ['answers 429', () => startFailing(429), /The host answered 429/],
    ['never answers', startBlackHole, /The Hub did not answer within 300 ms/],
  ])('is asked once and not waited for where it %s', async (_, start, message) => {
    const { endpoint } = await start();
    const { options, unreachable, retries } = await optionsFor(endpoint);
    const reach = new HubReach(options);
    const startedAtMs = performance.now();
    const failure = await resolveOnce(options, reach);
    expect(performance.now() - startedAtMs).toBeLessThan(2500);
    expect(failure.code).toBe('MODEL_DOWNLOAD_FAILED');
    expect(failure.message).toMatch(message);
    expect(failure.message).not.toContain(endpoint);
    expect([unreachable.length, retries]).toEqual([1, []]);

    const again = await resolveOnce(options, reach);
    expect(again.message).toBe(failure.message);
    expect(unreachable).toHaveLength(1);
  });

  test('is asked again after a minute where it refused, after five where it was silent', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    for (const [start, minutes] of [
      [() => startFailing(500), 1],
      [startBlackHole, 5],
    ] as const) {
      const { endpoint, asked } = await start();
      const { options } = await optionsFor(endpoint);
      const reach = new HubReach(options);
      await resolveOnce(options, reach);
      vi.setSystemTime(Date.now() + minutes * 60_000 - 1000);
      await resolveOnce(options, reach);
      expect(asked()).toBe(1);
      vi.setSystemTime(Date.now() + 2000);
      await resolveOnce(options, reach);
      expect(asked()).toBe(2);
    }
  });

  test('is known to the next process where it was silent, and only of the same Hub', async () => {
    const silent = await startBlackHole();
    const { options } = await optionsFor(silent.endpoint);
    await resolveOnce(options, new HubReach(options));
    await resolveOnce(options, new HubReach(options));
    expect(silent.asked()).toBe(1);
    const other = await startFailing(503);
    const moved = { ...options, endpoint: other.endpoint };
    await resolveOnce(moved, new HubReach(moved));
    await resolveOnce(moved, new HubReach(moved));
    expect(other.asked()).toBe(2);
  });

  test.each([
    ['is not written', '{"endpoint":'],
    ['is of another machine', '{"machine":"else","untilMs":9e15}'],
    ['lies far in the future', '{"untilMs":9e15}'],
  ])('is asked where what was remembered %s', async (_, text) => {
    const { endpoint, asked } = await startFailing(503);
    const { options } = await optionsFor(endpoint);
    await mkdir(options.cache!, { recursive: true });
    const remembered = text.startsWith('{"endpoint')
      ? text
      : `{"endpoint":"${endpoint}",${text.slice(1)}`;
    await writeFile(join(options.cache!, '.stt-hub-silent.json'), remembered);
    await resolveOnce(options, new HubReach(options));
    expect(asked()).toBe(1);
  });

  test('is a failure all the same where the cache cannot be written', async () => {
    const { endpoint } = await startBlackHole();
    const { options } = await optionsFor(endpoint);
    await writeFile(options.cache!, 'a file where the folder should be');
    const failure = await failureOf(
      new HubReach(options).once(
        (signal) =>
          new Promise((_, reject) => {
            signal.addEventListener('abort', () => reject(signal.reason));
          }),
        NEVER,
      ),
    );
    expect(failure.code).toBe('MODEL_DOWNLOAD_FAILED');
  });

  test('is left at an abort, and nothing is remembered of it', async () => {
    const { endpoint } = await startBlackHole();
    const { options, unreachable } = await optionsFor(endpoint);
    const job = new AbortController();
    const work = resolveModel(
      KOREAN,
      ctcFiles,
      { ...options, reach: new HubReach(options) },
      job.signal,
    );
    job.abort(new Error('cancelled'));
    await expect(work).rejects.toThrow('cancelled');
    expect(unreachable).toEqual([]);
    expect(existsSync(join(options.cache!, '.stt-hub-silent.json'))).toBe(false);
  });

  test('is one line in the log, without its address', async () => {
    const { endpoint } = await startRefusing();
    const lines: string[] = [];
    const logger = createLogger('info', { write: (line: string) => lines.push(line) });
    const { options } = await optionsFor(endpoint, { hooks: downloadLog(logger) });
    await resolveOnce(options, new HubReach(options));
    expect(lines.map((line) => JSON.parse(line))).toMatchObject([
      { message: 'hub not reached', level: 'WARN', forMs: 60_000 },
    ]);
    expect(lines.join()).not.toMatch(/https?:|127\.0\.0\.1/);
  });
});

describe('alignment where the Hub cannot be reached', () => {
  const range = { start: 0, end: 16_000 };
  const words = [{ text: '안녕', range, confidence: 0.9 }];
  const transcript = (language: string): Transcript => ({
    segments: [
      {
        ...{ text: '안녕', range, words, confidence: 0.9, avgLogProb: -0.1 },
        ...{ noSpeechProb: 0, compressionRatio: 1, temperature: 0 },
      },
    ],
    ...{ language, languageProbability: 1, audioSamples: 16_000, modelName: 'm' },
    ...{ alignment: 'attention', warnings: [], decodedRows: 1 },
  });
  const waveform = { sampleCount: 16_000, read: () => Promise.resolve(new Float32Array(16_000)) };

  function registryOf(hub: HubOptions): AlignmentRegistry {
    const engine = new InferenceEngine({ device: 'cpu', threads: 1 }, () => {});
    onTestFinished(() => engine.close());
    return new AlignmentRegistry(engine, { hub, computeType: 'float32' }, NEVER);
  }

  const align = (models: AlignmentRegistry, language: string) =>
    alignTranscript(
      transcript(language),
      waveform,
      models,
      { alignment: 'auto', scheduling: { priority: 'file', tenant: null } },
      NEVER,
    );

  test('words stay those of attention, with a warning, and one request is made for all languages', async () => {
    const { endpoint, asked } = await startBlackHole();
    const { options } = await optionsFor(endpoint);
    const models = registryOf(options);
    for (const language of ['ko', 'ja', 'zh', 'ko']) {
      const { alignment, warnings, segments } = await align(models, language);
      expect(alignment).toBe('attention');
      expect(warnings.map(({ code }) => code)).toEqual(['ALIGNMENT_UNAVAILABLE']);
      expect(warnings[0]!.message).toContain('MODEL_DOWNLOAD_FAILED');
      expect(segments).toEqual(transcript(language).segments);
    }
    expect(asked()).toBe(1);
  });

  test('no request is made offline', async () => {
    const { endpoint, asked } = await startBlackHole();
    const { options, unreachable } = await optionsFor(endpoint, { offline: true });
    const { alignment, warnings } = await align(registryOf(options), 'ko');
    expect([alignment, warnings[0]?.code]).toEqual(['attention', 'ALIGNMENT_UNAVAILABLE']);
    expect(warnings[0]!.message).toContain('MODEL_NOT_FOUND');
    expect([asked(), unreachable]).toEqual([0, []]);
  });

  test('a model that is to be there at the start is waited for', async () => {
    const { endpoint, asked } = await startFailing(503);
    const { options } = await optionsFor(endpoint, { tuning: { ...QUICK, attempts: 3 } });
    const models = registryOf(options);
    const failure = await failureOf(models.preload(['ko'], NEVER));
    expect(failure.message).toContain('3 times in a row');
    expect(asked()).toBe(3);
  });
});
