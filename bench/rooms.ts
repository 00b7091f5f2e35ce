import { SAMPLE_RATE_HZ, secToSamples } from '../audio/time.ts';
import type { RandomSource } from './random-source.ts';

/** What a room adds to a voice: echoes with their delays. */
export interface Room {
  readonly echoes: readonly { readonly delaySamples: number; readonly gain: number }[];
}

/** Echoes that fall by 60 dB in `reverberationSec`, a speaker beside the microphone. */
export const nearRoom = (random: RandomSource, reverberationSec: number): Room =>
  roomOf(random, { reverberationSec, echoCount: 24, gain: random.between(0.05, 0.25) });

/** The same from across the room: the echoes together are about as loud as the voice, or louder. */
export const farRoom = (random: RandomSource, reverberationSec: number): Room =>
  roomOf(random, { reverberationSec, echoCount: 240, gain: random.between(0.08, 0.22) });

interface RoomSize {
  readonly reverberationSec: number;
  readonly echoCount: number;
  /** Of an early echo. */
  readonly gain: number;
}

function roomOf(random: RandomSource, { reverberationSec, echoCount, gain }: RoomSize): Room {
  const echoes = Array.from({ length: echoCount }, () => {
    const delaySec = random.between(0.002, reverberationSec);
    const decay = 10 ** ((-3 * delaySec) / reverberationSec);
    return { delaySamples: secToSamples(delaySec), gain: gain * decay * random.normal() };
  });
  return { echoes };
}

export function inRoom(waveform: Float32Array, { echoes }: Room): Float32Array {
  const heard = Float32Array.from(waveform);
  for (const { delaySamples, gain } of echoes) {
    for (let at = delaySamples; at < heard.length; at++) {
      heard[at]! += gain * waveform[at - delaySamples]!;
    }
  }
  return heard;
}

/** Cuts off what is below 300 and above 3,400 Hz, 12 dB an octave each. */
export function telephone(samples: Float32Array): void {
  filter(samples, 'high', 300);
  filter(samples, 'low', 3400);
}

/** A second-order Butterworth filter in place. */
function filter(samples: Float32Array, pass: 'low' | 'high', cutoffHz: number): void {
  const omega = Math.tan((Math.PI * cutoffHz) / SAMPLE_RATE_HZ);
  const scale = 1 / (1 + Math.SQRT2 * omega + omega ** 2);
  const [b0, b1] =
    pass === 'low' ? [omega ** 2 * scale, 2 * omega ** 2 * scale] : [scale, -2 * scale];
  const [a1, a2] = [2 * (omega ** 2 - 1) * scale, (1 - Math.SQRT2 * omega + omega ** 2) * scale];
  let [x1, x2, y1, y2] = [0, 0, 0, 0];
  for (const [at, x] of samples.entries()) {
    const y = b0 * x + b1 * x1 + b0 * x2 - a1 * y1 - a2 * y2;
    [x2, x1, y2, y1] = [x1, x, y1, y];
    samples[at] = y;
  }
}

/** Noise that falls by 3 dB an octave, as much below the mean level of what is not silent. */
export function addNoise(
  samples: Float32Array,
  signalToNoiseDb: number,
  random: RandomSource,
): void {
  const loud = samples.filter((sample) => Math.abs(sample) > 1e-4);
  const level = Math.sqrt(
    loud.reduce((sum, sample) => sum + sample ** 2, 0) / Math.max(1, loud.length),
  );
  const gain = level * 10 ** (-signalToNoiseDb / 20);
  // Three leaky sums of white noise: close enough to pink.
  let [slow, middle, fast] = [0, 0, 0];
  for (let at = 0; at < samples.length; at++) {
    const white = 3.4 * (random.next() - 0.5);
    slow = 0.997 * slow + 0.0296 * white;
    middle = 0.963 * middle + 0.0746 * white;
    fast = 0.57 * fast + 0.2 * white;
    samples[at]! += gain * 2.2 * (slow + middle + fast + 0.05 * white);
  }
}
