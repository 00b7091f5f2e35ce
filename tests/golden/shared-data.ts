import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe } from 'vitest';

const ROOT = join(import.meta.dirname, '../..');
const SHARED = join(ROOT, '../shared');

export const sharedPath = (...parts: string[]): string => join(SHARED, ...parts);
export const embeddedPath = (...parts: string[]): string => join(ROOT, 'models/embedded', ...parts);

/** Reference numbers that another implementation wrote. */
export const readGolden = <T>(name: string): T =>
  JSON.parse(readFileSync(sharedPath('golden', name), 'utf8')) as T;

/** A group of tests against data that is not part of the project. */
export function describeWithShared(title: string, define: () => void): void {
  if (existsSync(SHARED)) describe(title, define);
  else describe.skip(`${title} (skipped: no ../shared folder with reference data)`, define);
}

/** The sample meeting, as the reference implementations saw it. */
export function sampleWaveform(): Float32Array<ArrayBuffer> {
  const file = readFileSync(join(ROOT, 'samples/meeting-en.wav'));
  const pcm = new Int16Array(file.buffer, file.byteOffset + 44, (file.length - 44) / 2);
  return Float32Array.from(pcm, (sample) => sample / 32768);
}

/** `samples` from the start, padded with silence. */
export function padded(waveform: Float32Array, samples: number): Float32Array<ArrayBuffer> {
  const window = new Float32Array(samples);
  window.set(waveform.subarray(0, samples));
  return window;
}

export const largestDifference = (actual: ArrayLike<number>, expected: readonly number[]): number =>
  Math.max(...expected.map((value, i) => Math.abs(value - actual[i]!)));
