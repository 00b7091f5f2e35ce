import { runFfmpegForFixture } from './audio-workbench.ts';

export const TONE_HZ = 440;

export interface ToneShape {
  readonly rateHz: number;
  readonly layout: 'mono' | 'stereo' | '5.1';
  readonly durationSec?: number;
}

const CHANNELS = { mono: 1, stereo: 2, '5.1': 6 } as const;

/**
 * Encodes a 440 Hz sine, the same in every channel, into files of several formats at once:
 * `outputs` maps each path to its output options. Input 1 is a moving picture.
 */
export async function encodeTones(
  shape: ToneShape,
  outputs: Readonly<Record<string, readonly string[]>>,
): Promise<void> {
  const { rateHz, layout, durationSec = 2 } = shape;
  const wave = Array(CHANNELS[layout]).fill(`0.3*sin(2*PI*${TONE_HZ}*t)`).join('|');
  await runFfmpegForFixture([
    ...['-f', 'lavfi', '-i', `aevalsrc=exprs=${wave}:s=${rateHz}:c=${layout}:d=${durationSec}`],
    ...['-f', 'lavfi', '-i', `testsrc=size=64x64:rate=10:duration=${durationSec}`],
    ...Object.entries(outputs).flatMap(([path, argv]) => ['-map', '0:a', ...argv, path]),
  ]);
}

/** Long and cheap: an hour takes a blink and some kilobytes. */
export const encodeSilence = (path: string, durationSec: number): Promise<void> =>
  runFfmpegForFixture([
    ...['-f', 'lavfi', '-i', 'anullsrc=r=8000:cl=mono', '-t', String(durationSec), path],
  ]);

/** The strongest frequency between 50 and 2000 Hz, in steps of 10 (Goertzel's algorithm). */
export function dominantHz(waveform: Float32Array, rateHz: number): number {
  let best = { hz: 0, power: 0 };
  for (let hz = 50; hz <= 2000; hz += 10) {
    const power = goertzelPower(waveform, (2 * Math.PI * hz) / rateHz);
    if (power > best.power) best = { hz, power };
  }
  return best.hz;
}

function goertzelPower(waveform: Float32Array, radiansPerSample: number): number {
  const coefficient = 2 * Math.cos(radiansPerSample);
  let previous = 0;
  let beforeThat = 0;
  for (const sample of waveform) {
    const next = sample + coefficient * previous - beforeThat;
    beforeThat = previous;
    previous = next;
  }
  return previous ** 2 + beforeThat ** 2 - coefficient * previous * beforeThat;
}
