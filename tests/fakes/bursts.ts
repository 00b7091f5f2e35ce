import { SAMPLE_RATE_HZ, samplesToSec } from '../../audio/time.ts';
import { runFfmpegForFixture } from './audio-workbench.ts';

const QUIET_SEC = 0.4;
const LOUD = 0.1;

/** A second of a tone from each of `startsSec` on, in faint noise, as ffmpeg's input options. */
export const bursts = (startsSec: readonly number[], durationSec: number): string[] => {
  const isOn = startsSec.map((start) => `between(t,${start},${start + 1})`).join('+');
  const source = `aevalsrc=exprs='0.02*(random(0)-0.5)+0.5*sin(2*PI*440*t)*(${isOn})':s=48000:d=${durationSec}`;
  return ['-f', 'lavfi', '-i', source];
};

export const encodeBursts = (
  path: string,
  { startsSec, durationSec }: { startsSec: readonly number[]; durationSec: number },
  ...options: readonly string[]
): Promise<void> => runFfmpegForFixture([...bursts(startsSec, durationSec), ...options, path]);

/** Where sound begins behind silence, in seconds. */
export function findBursts(waveform: Float32Array): number[] {
  const starts: number[] = [];
  let lastLoud = Number.NEGATIVE_INFINITY;
  waveform.forEach((value, sample) => {
    if (Math.abs(value) < LOUD) return;
    if (sample - lastLoud > QUIET_SEC * SAMPLE_RATE_HZ) starts.push(samplesToSec(sample));
    lastLoud = sample;
  });
  return starts;
}
