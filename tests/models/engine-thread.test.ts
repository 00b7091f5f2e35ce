import { copyFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import type { SttError } from '../../core/errors.ts';
import { createLogger } from '../../core/logger.ts';
import { type EngineOptions, InferenceEngine } from '../../models/engine/engine.ts';
import { hasHungThread } from '../../models/engine/thread.ts';
import { WindowScheduler } from '../../models/engine/window-scheduler.ts';

const CPU = { device: 'cpu', threads: 0 } as const;
const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const resource of open.splice(0)) await resource.close();
});

const VAD_FILE = new URL(
  '../../models/embedded/silero-vad/silero_vad_16k_sequence.onnx',
  import.meta.url,
).pathname;
const vadFeeds = (windows = 1, samples = 576) =>
  ({
    input: {
      type: 'float32',
      data: new Float32Array(windows * samples),
      dims: [windows, samples],
    },
    h: { type: 'float32', data: new Float32Array(128), dims: [1, 1, 128] },
    c: { type: 'float32', data: new Float32Array(128), dims: [1, 1, 128] },
  }) as const;

/** An engine with voice activity alone, whose thread can be told to crash. */
async function crashingEngine(file = VAD_FILE, options: EngineOptions = {}) {
  const fatal: SttError[] = [];
  const restarts: SttError[] = [];
  const threadModule = new URL('../fixtures/crashing-engine-thread.ts', import.meta.url);
  const engine = new InferenceEngine(CPU, (error) => fatal.push(error), {
    threadModule,
    onRestart: (error) => restarts.push(error),
    ...options,
  });
  open.push(engine);
  await engine.load('vad', { kind: 'onnx', file });
  return { engine, fatal, restarts };
}

test('a crashed thread fails what is under way, comes back once with its sessions, then is fatal', async () => {
  const { engine, fatal } = await crashingEngine();
  await expect(engine.run('crash', {})).rejects.toMatchObject({
    code: 'ENGINE_CRASHED',
    retryable: true,
  });
  expect((await engine.run('vad', vadFeeds()))['speech_probs']?.dims).toEqual([1]);
  expect(fatal).toEqual([]);
  await expect(engine.run('crash', {})).rejects.toMatchObject({ code: 'ENGINE_CRASHED' });
  await expect.poll(() => fatal.length).toBe(1);
});

test('a lost GPU counts as a crash, with what the runtime said', async () => {
  const { engine, fatal } = await crashingEngine();
  const failure = await engine.run('lose the GPU', {}).catch((error: unknown) => error);
  expect(failure).toMatchObject({ code: 'ENGINE_CRASHED', cause: { message: 'The GPU was lost' } });
  expect((await engine.run('vad', vadFeeds()))['speech_probs']?.dims).toEqual([1]);
  expect(fatal).toEqual([]);
});

test('what waits while the thread crashes is run by the next one', async () => {
  const { engine, restarts } = await crashingEngine();
  const crashing = engine.run('crash', {}).catch((error: unknown) => error);
  const waiting = [1, 2].map((windows) => engine.run('vad', vadFeeds(windows)));
  expect(await crashing).toMatchObject({ code: 'ENGINE_CRASHED' });
  const outputs = await Promise.all(waiting);
  expect(outputs.map((output) => output['speech_probs']?.dims)).toEqual([[1], [2]]);
  expect(restarts).toMatchObject([{ code: 'ENGINE_CRASHED' }]);
});

test('a run that hangs is given up like a crash, and the process knows that it cannot end by itself', async () => {
  const { engine, restarts } = await crashingEngine(VAD_FILE, {
    runLimitMs: 500,
    loadLimitMs: 60_000,
  });
  const hanging = engine.run('hang', {}).catch((error: unknown) => error);
  expect(await hanging).toMatchObject({
    code: 'ENGINE_CRASHED',
    message: 'A run of the engine took longer than its limit',
  });
  expect(restarts).toHaveLength(1);
  expect(hasHungThread()).toBe(true);
  expect((await engine.run('vad', vadFeeds()))['speech_probs']?.dims).toEqual([1]);
  await expect.poll(() => hasHungThread(), { timeout: 60_000 }).toBe(false);
});

test('runs go by urgency; a turn keeps the engine for what is chosen in it', async () => {
  const { engine } = await crashingEngine();
  const order: string[] = [];
  const note = (name: string) => () => order.push(name);
  const running = engine.run('vad', vadFeeds(6000)).then(note('running'));
  const work = [
    engine.run('vad', vadFeeds(1), 'background').then(note('speakers')),
    engine
      .turn(() => 'file')
      .then(async (turn) => {
        order.push(`turn, waited: ${turn.hasWaited}`);
        await turn.run('vad', vadFeeds(1));
        await new Promise((resolve) => setTimeout(resolve, 20));
        order.push('turn ends');
        turn.end();
      }),
    engine.run('vad', vadFeeds(1), 'file').then(note('file')),
    engine.run('vad', vadFeeds(1), 'realtime').then(note('live')),
  ];
  await Promise.all([running, ...work]);
  expect(order).toEqual([
    ...['running', 'live', 'turn, waited: true', 'turn ends', 'file'],
    'speakers',
  ]);
});

test('voice activity goes before what is found beside the words: batches wait for it', async () => {
  const { engine } = await crashingEngine();
  await engine.load('words', { kind: 'silero-vad', file: VAD_FILE });
  const order: string[] = [];
  const run = (session: string, windows: number, name: string) =>
    engine.run(session, vadFeeds(windows)).then(() => order.push(name));
  await Promise.all([
    run('vad', 2000, 'running'),
    run('vad', 1, 'speakers'),
    run('words', 1, 'voice activity'),
  ]);
  expect(order).toEqual(['running', 'voice activity', 'speakers']);
});

test('a sibling runs beside its engine and ends with it', async () => {
  const { engine } = await crashingEngine();
  const sibling = engine.sibling();
  await sibling.load('vad', { kind: 'onnx', file: VAD_FILE });
  const order: string[] = [];
  await Promise.all([
    engine.run('vad', vadFeeds(8000)).then(() => order.push('long')),
    sibling.run('vad', vadFeeds(1)).then(() => order.push('sibling')),
  ]);
  expect(order).toEqual(['sibling', 'long']);
  await engine.close();
  await expect(sibling.run('vad', vadFeeds(1))).rejects.toMatchObject({ code: 'ENGINE_CRASHED' });
});

test('a session that does not come back after a crash is fatal, and jobs may be tried elsewhere', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'engine-'));
  const file = join(folder, 'vad.onnx');
  await copyFile(VAD_FILE, file);
  const { engine, fatal } = await crashingEngine(file);
  await rm(folder, { recursive: true });
  await expect(engine.run('crash', {})).rejects.toMatchObject({ code: 'ENGINE_CRASHED' });
  await expect(engine.run('vad', vadFeeds())).rejects.toMatchObject({ code: 'ENGINE_CRASHED' });
  expect(fatal).toMatchObject([{ code: 'MODEL_LOAD_FAILED' }]);
});

test('a small run that comes during a batch runs before the next batch', async () => {
  const { engine } = await crashingEngine();
  const order: string[] = [];
  const scheduler = new WindowScheduler<string, void>({
    batchSize: 1,
    keyOf: () => '',
    run: async ([name]) => {
      await engine.run('vad', vadFeeds(3000));
      order.push(name!);
      return [];
    },
    onTrouble: undefined,
  });
  const file = { priority: 'file', tenant: null } as const;
  const { signal } = new AbortController();
  const batches = ['first', 'second'].map((name) => scheduler.submit(name, file, signal));
  await expect.poll(() => scheduler.queueLength).toBe(1);
  await engine.run('vad', vadFeeds(1)).then(() => order.push('small'));
  await Promise.all(batches);
  expect(order).toEqual(['first', 'small', 'second']);
});

test('a run that fails says in the log what the runtime objected to, and where', async () => {
  const { engine } = await crashingEngine();
  const error = await engine.run('vad', vadFeeds(1, 123)).catch((thrown: unknown) => thrown);
  const lines: string[] = [];
  createLogger('info', { write: (line: string) => lines.push(line) }).error({ err: error });
  const { err } = JSON.parse(lines[0]!);
  expect(err).toMatchObject({ code: 'INTERNAL', message: 'A model run failed' });
  expect(err.cause.message).toContain('The runtime says: Got invalid dimensions');
  expect(err.cause.cause.type).toBe('Error');
  expect(err.cause.cause.frames.join()).toContain('onnxruntime-node');
});
