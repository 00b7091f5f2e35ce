import { expect, test } from 'vitest';
import { EngineSlot, type ServiceEngine } from '../../../handler/http/engine-slot.ts';

const engine: ServiceEngine = {
  executor: { execute: () => Promise.reject(new Error('not asked')) },
  model: 'a model',
  device: 'cpu',
  languages: ['en'],
  stats: () => null,
  close: () => Promise.resolve(),
};

test('whoever comes before loading has begun waits for the engine, and loses no attempt', async () => {
  const slot = new EngineSlot();
  const early = slot.ready(new AbortController().signal);
  expect(slot.phase).toBe('loading');
  await slot.load(() => Promise.resolve(engine));
  expect(await early).toBe(engine);
  expect(slot.phase).toBe('ready');
});

test('a load that fails is told to those who wait, and to those who come later', async () => {
  const slot = new EngineSlot();
  const early = slot.ready(new AbortController().signal);
  const load = slot.load(() => Promise.reject(new Error('no such model')));
  await expect(load).rejects.toThrow('no such model');
  await expect(early).rejects.toThrow('no such model');
  await expect(slot.ready(new AbortController().signal)).rejects.toThrow('no such model');
  expect(slot.phase).toBe('failed');
});

test('who stops waiting gets the reason of the stop', async () => {
  const stop = new AbortController();
  const waiting = new EngineSlot().ready(stop.signal);
  stop.abort(new Error('closing'));
  await expect(waiting).rejects.toThrow('closing');
});
