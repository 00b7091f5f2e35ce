import { EventEmitter } from 'node:events';
import type { Server } from 'node:http';
import { Registry } from 'prom-client';
import { expect, test } from 'vitest';
import { createLogger } from '../../../core/logger.ts';
import { ActiveWork } from '../../../handler/http/active-work.ts';
import { GpuMemoryReader } from '../../../handler/http/gpu-memory.ts';
import { JobGate } from '../../../handler/http/job-gate.ts';
import { JobTimes } from '../../../handler/http/job-times.ts';
import { limitConnections } from '../../../handler/http/limit-connections.ts';
import { DeltaWriter } from '../../../handler/http/openai/openai-stream.ts';
import { SharedReads } from '../../../handler/jobs/shared-reads.ts';
import { joinTexts } from '../../../handler/languages.ts';
import { AccessTokens } from '../../../handler/realtime/access-tokens.ts';
import { cursorOf, positionAt } from '../../../handler/store/job-position.ts';

const { signal } = new AbortController();

test('who only looks on does not keep the process, and is told when it ends', async () => {
  const work = new ActiveWork();
  const watcher = work.watch();
  const job = work.begin();
  let isIdle = false;
  const idle = work.idle().then(() => (isIdle = true));
  await Promise.resolve();
  expect(isIdle).toBe(false);
  job.end();
  await idle;
  expect(watcher.abort.signal.aborted).toBe(false);
  work.abortAll();
  expect(watcher.abort.signal.reason).toMatchObject({ code: 'SHUTTING_DOWN' });
});

test('room that is kept for requests that arrive counts until they enter or leave', async () => {
  const gate = new JobGate(1, 1);
  const first = gate.reserve();
  const second = gate.reserve();
  expect(() => gate.reserve()).toThrow(expect.objectContaining({ code: 'SERVICE_BUSY' }));
  first();
  first();
  const leave = await gate.enter(null, signal);
  expect(() => gate.reserve()).toThrow(expect.objectContaining({ code: 'SERVICE_BUSY' }));
  second();
  gate.reserve()();
  leave();
  expect([gate.running, gate.waiting]).toEqual([0, 0]);
});

test.each([
  ['ja', ['こんにちは。', '今日は', 'GPU', 'OK', 'です。']],
  ['zh', ['大家好。', '我们开始吧。']],
  ['ko', ['안녕하세요.', '', '시작합시다.']],
  ['en', ['Good morning.', "Let's start."]],
])('deltas in %s make the transcript when they are put together', (language, texts) => {
  const transcript = joinTexts(texts, language);
  for (const known of [language, undefined]) {
    const deltas: string[] = [];
    const writer = new DeltaWriter(known, (delta) => deltas.push(delta));
    writer.write(texts.slice(0, 2));
    writer.write(texts.slice(2));
    if (known !== undefined) expect(deltas.length).toBeGreaterThan(1);
    writer.finish(transcript);
    expect(deltas.join('')).toBe(transcript);
  }
});

test('a place in a list survives its journey, and nothing else passes for one', () => {
  const position = { createdMs: 1_795_500_000_123, id: 'a.b-ç' };
  expect(positionAt(cursorOf(position))).toEqual(position);
  for (const cursor of ['', 'x', Buffer.from('1795.').toString('base64url')]) {
    expect(() => positionAt(cursor)).toThrow(expect.objectContaining({ code: 'INPUT_INVALID' }));
  }
});

test('what many want to know at the same time is asked once', async () => {
  let asked = 0;
  const reads = new SharedReads<number>(1000);
  const ask = async () => (asked += 1);
  expect(await Promise.all([1, 2, 3].map(() => reads.read('a', ask)))).toEqual([1, 1, 1]);
  expect(await reads.read('b', ask)).toBe(2);
  const failing = new SharedReads<number>(1000);
  await expect(failing.read('a', () => Promise.reject(new Error('no')))).rejects.toThrow('no');
  await new Promise(setImmediate);
  expect(await failing.read('a', ask)).toBe(3);
});

test('the memory of several cards is told together, and no driver is no memory', async () => {
  const two = new GpuMemoryReader(async () => '1024, 24564\n 2048, 24564\n');
  expect(await two.read()).toEqual({ usedMb: 3072, totalMb: 49_128 });
  expect(await new GpuMemoryReader(async () => 'No devices were found\n').read()).toBeNull();
  expect(await new GpuMemoryReader(() => Promise.reject(new Error('ENOENT'))).read()).toBeNull();
});

test('stages of jobs are told by name, and no stranger’s words become one', async () => {
  const registry = new Registry();
  const times = new JobTimes(registry);
  times.waited(1500);
  times.stages({ vad: 0.2, 'Speech! "quoted"': 1 });
  const text = await registry.metrics();
  expect(text).toMatch(/^stt_stage_seconds_sum\{stage="vad"\} 0\.2$/m);
  expect(text).toMatch(/^stt_job_wait_seconds_sum 1\.5$/m);
  expect(text).not.toMatch(/quoted/);
});

test('tokens that nobody uses are limited by holder, and room comes back as they expire', () => {
  const tokens = new AccessTokens<string>(60, 'rt_', (holder) => holder);
  const issue = (holder: string, nowMs: number) => tokens.issue(holder, 60, nowMs);
  const first = issue('acme', 0);
  for (let count = 1; count < 1000; count += 1) issue('acme', 0);
  expect(() => issue('acme', 0)).toThrow(expect.objectContaining({ code: 'RATE_LIMITED' }));
  expect(issue('other', 0).token).toMatch(/^rt_/);
  expect(tokens.redeem(first.token, 0)).toBe('acme');
  expect(tokens.redeem(first.token, 0)).toBeUndefined();
  expect(issue('acme', 0).token).toMatch(/^rt_/);
  expect(issue('acme', 61_000).token).toMatch(/^rt_/);
});

test('connections of one address are limited, those of this machine are not', () => {
  const server = new EventEmitter();
  const lines: string[] = [];
  const logger = createLogger('warn', { write: (line: string) => void lines.push(line) });
  limitConnections(server as Server, 2, logger);
  const open = (remoteAddress: string) => {
    const socket = Object.assign(new EventEmitter(), { remoteAddress, isDestroyed: false });
    server.emit(
      'connection',
      Object.assign(socket, { destroy: () => (socket.isDestroyed = true) }),
    );
    return socket;
  };
  const [first, second, third] = [1, 2, 3].map(() => open('::ffff:203.0.113.5'));
  expect([first?.isDestroyed, second?.isDestroyed, third?.isDestroyed]).toEqual([
    false,
    false,
    true,
  ]);
  expect(open('203.0.113.6').isDestroyed).toBe(false);
  for (let count = 0; count < 5; count += 1) expect(open('127.0.0.1').isDestroyed).toBe(false);
  first?.emit('close');
  expect(open('203.0.113.5').isDestroyed).toBe(false);
  expect(open('203.0.113.5').isDestroyed).toBe(true);
  expect(lines).toHaveLength(1);
  expect(lines.join()).not.toMatch(/203/);
});
