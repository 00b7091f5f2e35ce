import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { SAMPLE_RATE_HZ } from '../../../audio/time.ts';
import { countWordErrors } from '../../../bench/word-errors.ts';
import { floatBytes } from '../../../handler/realtime/float-samples.ts';
import { pcm16Bytes } from '../../../handler/realtime/pcm16.ts';
import { DEFAULT_WINDOW_TIMING } from '../../../handler/realtime/window-caller.ts';
import type { LoadedModels } from '../../../models/load-models.ts';
import { NO_SPEECH, noSpeech } from '../../fakes/no-speech.ts';
import { sampleWaveform } from '../../golden/shared-data.ts';
import { engineWindows, loadEngine } from './real-engine.ts';
import { CALLER, Ear, SessionBench } from './session-bench.ts';

const SPOKEN = sampleWaveform().subarray(0, 16 * SAMPLE_RATE_HZ);
const PIECE_SAMPLES = SAMPLE_RATE_HZ / 4;

let models: LoadedModels;
let bench: SessionBench;
beforeAll(async () => {
  models = await loadEngine();
});
afterAll(() => models.close());
beforeEach(async () => {
  bench = await SessionBench.open();
});
afterEach(() => bench.close());

const scaled = (waveform: Float32Array, db: number): Float32Array =>
  waveform.map((sample) => sample * 10 ** (db / 20));

/** What is final when a session has heard it. */
async function textOf(waveform: Float32Array, encoding: 'pcm16' | 'float32'): Promise<string> {
  const recognizer = engineWindows(models);
  const { voiceActivity } = models;
  const sessions = bench.sessions({ recognizer, voiceActivity, timing: DEFAULT_WINDOW_TIMING });
  const session = await sessions.start(CALLER, {
    ...{ sessionId: 's', meetingId: 'm', language: 'en' },
    format: { encoding, sampleRateHz: SAMPLE_RATE_HZ },
  });
  const ear = new Ear();
  session.host.listen(ear);
  const toBytes = encoding === 'pcm16' ? pcm16Bytes : floatBytes;
  for (let at = 0; at < waveform.length; at += PIECE_SAMPLES) {
    session.intake.accept(toBytes(waveform.subarray(at, at + PIECE_SAMPLES)));
  }
  await session.intake.flush();
  session.host.end('client');
  await session.outcome;
  await sessions.close();
  expect(ear.gaps).toBe(0);
  return ear.text;
}

test('a quiet session loses one word in forty at most: −50 dB in 16 bits, −60 dB in float', async () => {
  const reference = await textOf(SPOKEN, 'pcm16');
  expect(countWordErrors(reference, '').referenceLength).toBeGreaterThan(30);
  for (const [db, encoding] of [
    [-50, 'pcm16'],
    [-60, 'float32'],
  ] as const) {
    const text = await textOf(scaled(SPOKEN, db), encoding);
    const { deletions, referenceLength } = countWordErrors(reference, text);
    expect(deletions / referenceLength).toBeLessThanOrEqual(1 / 40);
  }
}, 300_000);

test('a session hears no speech where there is none, however quiet it is', async () => {
  for (const name of Object.keys(NO_SPEECH)) {
    const sound = Float32Array.from([-30, -70].flatMap((db) => [...noSpeech(name, 4, db)]));
    expect([name, await textOf(sound, 'float32')]).toEqual([name, '']);
  }
}, 300_000);
