import { afterAll, expect, test } from 'vitest';
import { InferenceEngine } from '../../models/engine/engine.ts';
import { SileroVad } from '../../models/vad/silero-vad.ts';
import {
  describeWithShared,
  embeddedPath,
  largestDifference,
  readGolden,
  sampleWaveform,
} from './shared-data.ts';

describeWithShared('Silero VAD in its sequence form', () => {
  const engine = new InferenceEngine({ device: 'cpu', threads: 0 }, (error) => {
    throw error;
  });
  afterAll(() => engine.close());

  test('gives the step-by-step probabilities, in one piece and in many', async () => {
    const golden = readGolden<Record<string, { probs: number[] }>>('silero-vad.json');
    const { probs } = golden['audio/synth/meeting-en.flac']!;
    const vad = await SileroVad.load(engine, embeddedPath('silero-vad'));
    const waveform = sampleWaveform();
    const { signal } = new AbortController();
    const whole = await vad.openStream().push(waveform, signal);
    expect(largestDifference(whole, probs)).toBeLessThanOrEqual(1e-3);
    expect(whole.length).toBe(probs.length);

    const stream = vad.openStream();
    const pieces: number[] = [];
    for (let start = 0; start < waveform.length; start += 100 * vad.windowSamples) {
      const piece = waveform.subarray(start, start + 100 * vad.windowSamples);
      pieces.push(...(await stream.push(piece, signal)));
    }
    expect(largestDifference(pieces, probs)).toBeLessThanOrEqual(1e-3);
  });
});
