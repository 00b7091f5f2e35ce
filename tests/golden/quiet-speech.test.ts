import { afterAll, beforeAll, expect, test } from 'vitest';
import { SAMPLE_RATE_HZ } from '../../audio/time.ts';
import { countWordErrors } from '../../bench/word-errors.ts';
import type { LoadedModels } from '../../models/load-models.ts';
import { DEFAULT_TRANSCRIBE_OPTIONS } from '../../pipeline/options.ts';
import { transcribe } from '../../pipeline/transcribe.ts';
import { createWorkbench, testWithFfmpeg, type Workbench } from '../fakes/audio-workbench.ts';
import { NO_SPEECH, noSpeech } from '../fakes/no-speech.ts';
import { wavBytes } from '../fakes/wav-bytes.ts';
import { loadEngine } from '../handler/realtime/real-engine.ts';
import { describeWithShared, sampleWaveform, sharedPath } from './shared-data.ts';

const { signal } = new AbortController();
/** A machine that does other work at the same time. */
const SLOW_MS = 300_000;
const SAMPLE = sampleWaveform();
const amplitude = (db: number): number => 10 ** (db / 20);
const scaled = (waveform: Float32Array, db: number): Float32Array =>
  waveform.map((sample) => sample * amplitude(db));
/** As a 16-bit recorder keeps it. */
const to16Bits = (waveform: Float32Array): Int16Array =>
  Int16Array.from(waveform, (sample) => Math.round(sample * 32_768));

let bench: Workbench;
let models: LoadedModels;
let files = 0;
beforeAll(async () => {
  bench = await createWorkbench();
  models = await loadEngine();
});
afterAll(async () => {
  await models.close();
  await bench.remove();
});

async function textOf(file: Buffer | string): Promise<string> {
  const path = typeof file === 'string' ? file : await bench.write(`${files++}.wav`, file);
  const limits = typeof file === 'string' ? { root: sharedPath('audio') } : {};
  const recording = await bench.open(path, { ...limits, maxSec: 120 });
  try {
    const options = { ...DEFAULT_TRANSCRIBE_OPTIONS, language: 'en' };
    const { segments } = await transcribe(recording, options, models, {}, signal);
    return segments.map(({ text }) => text).join(' ');
  } finally {
    await recording.close();
  }
}

/** Words that the one text has and the other lacks. */
const lostWords = (reference: string, text: string): number =>
  countWordErrors(reference, text).deletions;

test(
  'no word of the sample is lost at −50 dB in 16 bits, nor at −60 dB in float',
  async () => {
    const part = SAMPLE.subarray(0, 30 * SAMPLE_RATE_HZ);
    const reference = await textOf(wavBytes(part));
    expect(countWordErrors(reference, '').referenceLength).toBeGreaterThan(60);
    expect(lostWords(reference, await textOf(wavBytes(to16Bits(scaled(part, -50)))))).toBe(0);
    expect(lostWords(reference, await textOf(wavBytes(scaled(part, -60))))).toBe(0);
  },
  SLOW_MS,
);

test(
  'of a quiet recording with knocks, and of a quiet answer to a loud question, no word is lost',
  async () => {
    const part = SAMPLE.subarray(0, 16 * SAMPLE_RATE_HZ);
    const reference = await textOf(wavBytes(part));
    const knocked = scaled(part, -45);
    for (let at = SAMPLE_RATE_HZ; at < knocked.length; at += 4 * SAMPLE_RATE_HZ) {
      for (let i = 0; i < 800; i += 1) knocked[at + i]! += 0.5 * Math.exp(-i / 100) * Math.sin(i);
    }
    expect(lostWords(reference, await textOf(wavBytes(knocked)))).toBe(0);

    const half = part.length / 2;
    const call = Float32Array.from(part, (sample, i) => sample * amplitude(i < half ? -25 : -55));
    expect(lostWords(reference, await textOf(wavBytes(call)))).toBe(0);
  },
  SLOW_MS,
);

test(
  'there is no text where nobody speaks, however quiet it is',
  async () => {
    for (const name of Object.keys(NO_SPEECH)) {
      for (const db of [-25, -70]) {
        expect([name, db, await textOf(wavBytes(noSpeech(name, 8, db)))]).toEqual([name, db, '']);
      }
    }
    const dither = noSpeech('white noise', 12, -90);
    expect(await textOf(wavBytes(to16Bits(dither)))).toBe('');
    expect(await textOf(wavBytes(new Int16Array(12 * SAMPLE_RATE_HZ)))).toBe('');
  },
  SLOW_MS,
);

describeWithShared('a real recording', () => {
  testWithFfmpeg('keeps its 22 words down to −50 dB', async () => {
    const path = sharedPath('audio/real/jfk.flac');
    const reference = await textOf(path);
    const recording = await bench.open(path, { root: sharedPath('audio') });
    const waveform = await recording.read({ start: 0, end: recording.sampleCount });
    await recording.close();
    expect(countWordErrors(reference, '').referenceLength).toBe(22);
    for (const db of [-40, -50]) {
      expect(lostWords(reference, await textOf(wavBytes(to16Bits(scaled(waveform, db)))))).toBe(0);
    }
  });
});
