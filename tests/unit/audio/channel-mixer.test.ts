import { expect, test } from 'vitest';
import { ChannelMixer } from '../../../audio/channel-mixer.ts';
import { SAMPLE_RATE_HZ } from '../../../audio/time.ts';

const SEC = SAMPLE_RATE_HZ;

/** Reproducible noise of an amplitude; each seed is another voice. */
function voice(seed: number, amplitude = 0.1, length = 2 * SEC): Float32Array {
  let state = seed;
  return Float32Array.from({ length }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return amplitude * (state / 2 ** 31 - 1);
  });
}

const scaled = (waveform: Float32Array, gain: number): Float32Array =>
  waveform.map((sample) => sample * gain);
const SILENCE = new Float32Array(2 * SEC);

function mixOf(channels: readonly Float32Array[], channelMask = 0, pieceFrames = 1234) {
  const mixer = new ChannelMixer({ channelCount: channels.length, channelMask });
  const length = channels[0]!.length * channels.length;
  const frames = Float32Array.from(
    { length },
    (_, i) => channels[i % channels.length]![Math.floor(i / channels.length)]!,
  );
  const pieces: Float32Array[] = [];
  for (let at = 0; at < length; at += pieceFrames * channels.length) {
    pieces.push(...mixer.push(frames.subarray(at, at + pieceFrames * channels.length)));
  }
  return Float32Array.from([...pieces, ...mixer.flush()].flatMap((piece) => [...piece]));
}

/** Root mean square of what is left when the voice is taken away, beside the voice's own. */
function leftOver(mix: Float32Array, of: Float32Array): number {
  const power = (waveform: Float32Array): number =>
    waveform.reduce((sum, sample) => sum + sample ** 2, 0);
  return Math.sqrt(power(mix.map((sample, i) => sample - of[i]!)) / power(of));
}

test('two channels of opposite phase are the one voice that is on both', () => {
  const one = voice(1);
  expect(leftOver(mixOf([one, scaled(one, -1)]), one)).toBeLessThan(1e-6);
  expect(leftOver(mixOf([one, scaled(one, -0.5)]), scaled(one, 0.75))).toBeLessThan(1e-6);
});

test('opposite phase is found beneath the noise of each channel', () => {
  const one = voice(1);
  const noisy = (sign: number, noise: Float32Array) =>
    one.map((sample, i) => sign * sample + noise[i]!);
  const mix = mixOf([noisy(1, voice(7, 0.02)), noisy(-1, voice(8, 0.02))]);
  // Nobody hears which of the two was turned over.
  expect(Math.min(leftOver(mix, one), leftOver(mix, scaled(one, -1)))).toBeLessThan(0.3);
});

test('phase is judged where there is sound, and a pause does not turn a channel back', () => {
  const [one, next] = [voice(1), voice(2)];
  const left = Float32Array.from([...SILENCE, ...one, ...SILENCE, ...next]);
  const expected = Float32Array.from([...SILENCE, ...one, ...SILENCE, ...next]);
  expect(leftOver(mixOf([left, scaled(left, -1)]), expected)).toBeLessThan(1e-6);
});

test('channels with voices of their own, and the same voice on both, are mixed as they are', () => {
  const [one, other] = [voice(1), voice(2)];
  const mean = one.map((sample, i) => (sample + other[i]!) / 2);
  expect(leftOver(mixOf([one, other]), mean)).toBeLessThan(1e-6);
  expect(leftOver(mixOf([one, one]), one)).toBeLessThan(1e-6);
});

test('of four channels the pairs of opposite phase do not cancel each other', () => {
  const [one, other] = [voice(1), voice(2)];
  const mix = mixOf([one, scaled(one, -1), other, scaled(other, -1)]);
  const [kept, turned] = [1, -1].map((sign) =>
    leftOver(
      mix,
      one.map((sample, i) => (sample + sign * other[i]!) / 2),
    ),
  );
  expect(Math.min(kept!, turned!)).toBeLessThan(1e-6);
});

test('a voice on any one channel of a layout that nobody names is in the mix', () => {
  for (const channelCount of [2, 6, 9, 10, 12, 32]) {
    for (const spoken of [0, Math.min(3, channelCount - 1), channelCount - 1]) {
      const one = voice(1);
      const channels = Array.from({ length: channelCount }, (_, channel) =>
        channel === spoken ? one : SILENCE,
      );
      expect(leftOver(mixOf(channels), scaled(one, 1 / channelCount))).toBeLessThan(1e-6);
    }
  }
});

test('the mix has every frame once, however the pieces are cut', () => {
  const channels = [voice(1), voice(2)];
  const whole = mixOf(channels, 3, 2 * SEC);
  expect(whole.length).toBe(2 * SEC);
  for (const pieceFrames of [1, 7999, 8000, 8001]) {
    expect(leftOver(mixOf(channels, 3, pieceFrames), whole)).toBe(0);
  }
});
