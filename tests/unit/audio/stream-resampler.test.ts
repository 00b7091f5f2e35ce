import { expect, test } from 'vitest';
import { StreamResampler } from '../../../audio/stream-resampler.ts';

const tone = (rateHz: number, toneHz: number, samples: number): Float32Array =>
  Float32Array.from({ length: samples }, (_, i) => Math.sin((2 * Math.PI * toneHz * i) / rateHz));

const rms = (values: Float32Array): number =>
  Math.sqrt(values.reduce((sum, value) => sum + value * value, 0) / values.length);

function resampled(rateHz: number, input: Float32Array, pieceSamples: number): Float32Array {
  const resampler = new StreamResampler(rateHz);
  const output: number[] = [];
  for (let start = 0; start < input.length; start += pieceSamples) {
    output.push(...resampler.push(input.subarray(start, start + pieceSamples)));
  }
  return Float32Array.from([...output, ...resampler.flush()]);
}

test.each([8000, 22_050, 44_100, 48_000])(
  'a tone at %d Hz is the same tone at 16 kHz',
  (rateHz) => {
    const output = resampled(rateHz, tone(rateHz, 1000, rateHz), 777);
    expect(Math.abs(output.length - 16_000)).toBeLessThanOrEqual(40);
    const expected = tone(16_000, 1000, 16_000);
    const differences = output.slice(200, 15_800).map((value, i) => value - expected[i + 200]!);
    expect(rms(differences)).toBeLessThan(0.002);
  },
);

test('what 16 kHz cannot hold is taken out', () => {
  const output = resampled(48_000, tone(48_000, 10_000, 48_000), 4800);
  expect(rms(output.slice(200, -200))).toBeLessThan(0.002);
});

test('the result does not depend on how the audio was cut into pieces', () => {
  const input = tone(44_100, 440, 20_000);
  expect(resampled(44_100, input, 333)).toEqual(resampled(44_100, input, 20_000));
});
