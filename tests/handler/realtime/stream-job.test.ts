import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { findFfmpeg } from '../../../audio/ffmpeg-path.ts';
import { SAMPLE_RATE_HZ } from '../../../audio/time.ts';
import { pcm16Bytes } from '../../../handler/realtime/pcm16.ts';
import { remoteWindows } from '../../../handler/realtime/remote-windows.ts';
import { runStreamJob } from '../../../handler/realtime/stream-job.ts';
import { isStreamInput } from '../../../handler/realtime/stream-schema.ts';
import type { LoadedModels } from '../../../models/load-models.ts';
import { sampleWaveform } from '../../golden/shared-data.ts';
import { engineWindows, jobContext, loadEngine, streamServices } from './real-engine.ts';

const WINDOW = sampleWaveform().slice(5 * SAMPLE_RATE_HZ, 11 * SAMPLE_RATE_HZ);
const INPUT = {
  task: 'stream',
  session_id: 'session-1',
  epoch: 0,
  seq: 3,
  audio_base64: pcm16Bytes(WINDOW).toString('base64'),
  audio_encoding: 'pcm16',
  window_start: 5,
  language: 'en',
  prompt: "Let's start the weekly meeting with the project status.",
  final: true,
};
let engine: LoadedModels;

beforeAll(async () => {
  engine = await loadEngine();
});
afterAll(() => engine.close());

const run = (input: unknown) =>
  runStreamJob({ id: 'job', input }, streamServices(engine), jobContext());

/** The window in a container, as a browser or a gateway would send it. */
async function encoded(...codec: readonly string[]): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'stt-test-'));
  try {
    writeFileSync(join(folder, 'in.pcm'), pcm16Bytes(WINDOW));
    const input = ['-f', 's16le', '-ar', '16000', '-ac', '1', '-i', join(folder, 'in.pcm')];
    const argv = ['-nostdin', '-v', 'error', ...input, ...codec, join(folder, 'out')];
    execFileSync(await findFfmpeg(undefined), argv);
    return readFileSync(join(folder, 'out')).toString('base64');
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test('a window is answered with words and their times in the session, twice alike', async () => {
  const [first, second] = [await run(INPUT), await run(INPUT)];
  expect({ ...second, processing_time: 0 }).toEqual({ ...first, processing_time: 0 });
  expect(first).toMatchObject({ session_id: 'session-1', epoch: 0, seq: 3, final: true });
  if ('error' in first) throw new Error(first.error.message);
  expect(first).toMatchObject({ language: 'en', language_probability: 1, audio_duration: 6 });
  expect(first.words.map(({ word }) => word).join('')).toMatch(/speech engine is ready.*first/);
  let end = 5;
  for (const { start, end: wordEnd, confidence } of first.words) {
    expect(start).toBeGreaterThanOrEqual(end);
    expect(confidence).toBeGreaterThan(0);
    end = wordEnd;
  }
  expect(end).toBeLessThanOrEqual(11);
});

test('Opus in Ogg and in WebM is understood as the samples are', async () => {
  const bare = await run(INPUT);
  if ('error' in bare) throw new Error(bare.error.message);
  const opus = ['-c:a', 'libopus', '-b:a', '24k'];
  const formats = [
    ['-f', 'wav'],
    [...opus, '-f', 'ogg'],
    [...opus, '-f', 'webm'],
  ];
  for (const format of formats) {
    const audio_base64 = await encoded(...format);
    const output = await run({ ...INPUT, audio_encoding: 'auto', audio_base64 });
    if ('error' in output) throw new Error(output.error.message);
    const said = output.words.map(({ word }) => word.toLowerCase().replace(/\W/g, ''));
    expect(said.slice(0, 5).join(' ')).toBe('the speech engine is ready');
  }
});

test('silence has no words', async () => {
  const audio_base64 = pcm16Bytes(new Float32Array(2 * SAMPLE_RATE_HZ)).toString('base64');
  expect(await run({ ...INPUT, audio_base64, prompt: '' })).toMatchObject({ words: [] });
});

test('a pool of workers answers as the engine of this process does', async () => {
  const window = {
    sessionId: 'session-1',
    epoch: 1,
    seq: 2,
    start: 80_001,
    end: 80_001 + WINDOW.length,
    waveform: WINDOW,
    language: null,
    prompt: '',
    isLast: false,
    diarize: true,
    tenant: 'tenant_abc',
  };
  const { signal } = jobContext();
  const here = await engineWindows(engine).recognize(window, signal);
  const there = await remoteWindows(run).recognize(window, signal);
  expect(there.words.map(({ text }) => text)).toEqual(here.words.map(({ text }) => text));
  expect(there.voice).toEqual(here.voice);
  expect(here.voice).toMatchObject({ model: expect.stringMatching(/./), count: 2 });
  for (const [index, { range }] of here.words.entries()) {
    expect(Math.abs(there.words[index]!.range.start - range.start)).toBeLessThanOrEqual(1);
  }
});

test('candidates travel to the pool, and what its model does not know comes back as an error', async () => {
  const inputs: object[] = [];
  const remote = remoteWindows((input) => {
    inputs.push(input);
    return run(input);
  });
  const window = { sessionId: 's', epoch: 0, seq: 0, start: 0, end: WINDOW.length };
  const asked = { ...window, waveform: WINDOW, prompt: '', isLast: true, tenant: null };
  const { signal } = jobContext();
  const foreign = { ...asked, language: null, languages: ['ko', 'ja'] };
  await expect(remote.recognize(foreign, signal)).rejects.toMatchObject({
    code: 'LANGUAGE_UNSUPPORTED',
  });
  expect(inputs).toMatchObject([{ language: null, languages: ['ko', 'ja'] }]);
  await remote.recognize({ ...asked, language: null }, signal);
  expect(inputs[1]).not.toHaveProperty('languages'); // Workers of before would not know the field.
});

test('a bad window is refused by name and remains an error across the pool', async () => {
  const output = await run({ ...INPUT, seq: -1, sample: 1 });
  expect(output).toMatchObject({ error: { code: 'INPUT_INVALID' } });
  const isTooLong = pcm16Bytes(new Float32Array(31 * SAMPLE_RATE_HZ)).toString('base64');
  const failing = remoteWindows(() => run({ ...INPUT, audio_base64: isTooLong }));
  const window = { sessionId: 's', epoch: 0, seq: 0, start: 0, end: 0, language: null } as const;
  const asked = {
    ...window,
    waveform: new Float32Array(0),
    prompt: '',
    isLast: true,
    tenant: null,
  };
  await expect(failing.recognize(asked, jobContext().signal)).rejects.toMatchObject({
    code: 'AUDIO_TOO_LONG',
  });
  expect([isStreamInput(INPUT), isStreamInput({ audio_url: 'x' })]).toEqual([true, false]);
});

test('a window that waits is dropped when a newer one of its session comes', async () => {
  const busy = Array.from({ length: 3 }, (_, seq) => run({ ...INPUT, session_id: `s${seq}` }));
  const [older, newer] = [run({ ...INPUT, final: false }), run({ ...INPUT, final: false, seq: 4 })];
  expect(await older).toMatchObject({ error: { code: 'JOB_CANCELLED' } });
  expect(await newer).toMatchObject({ seq: 4, language: 'en' });
  await Promise.all(busy);
});
