import fc from 'fast-check';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { SpooledWaveform } from '../../../audio/waveform.ts';
import { createWorkbench, expectCode, type Workbench } from '../../fakes/audio-workbench.ts';
import { noise, wavBytes } from '../../fakes/wav-bytes.ts';

/** As loud as speech: it stays as it is. */
const SAMPLES = noise(1000).map((sample) => sample / 8);
const EXPECTED = Float32Array.from(SAMPLES, (sample) => sample / 32_768);

let bench: Workbench;
let waveform: SpooledWaveform;
beforeEach(async () => {
  bench = await createWorkbench();
  waveform = await bench.open(await bench.write('noise.wav', wavBytes(SAMPLES)));
});
afterEach(async () => {
  await waveform.close();
  await bench.expectNothingLeft().finally(bench.remove);
});

test('any range gives exactly its samples, in any order and at the same time', async () => {
  const range = fc
    .tuple(fc.nat(SAMPLES.length), fc.nat(SAMPLES.length))
    .map(([a, b]) => ({ start: Math.min(a, b), end: Math.max(a, b) }));
  await fc.assert(
    fc.asyncProperty(fc.array(range, { maxLength: 5 }), async (ranges) => {
      const pieces = await Promise.all(ranges.map((asked) => waveform.read(asked)));
      expect(pieces).toEqual(ranges.map(({ start, end }) => EXPECTED.slice(start, end)));
    }),
    { numRuns: 50 },
  );
});

test('a range outside the waveform is refused', async () => {
  const bad = [
    [-1, 5],
    [0, 1001],
    [10, 9],
    [0.5, 2],
    [0, Number.NaN],
  ] as const;
  for (const [start, end] of bad) await expectCode(waveform.read({ start, end }), 'INTERNAL');
});

test('closing during a read lets it finish, removes the file, and may be repeated', async () => {
  const reading = waveform.read({ start: 0, end: 1000 });
  await Promise.all([waveform.close(), waveform.close()]);
  expect(await reading).toEqual(EXPECTED);
  await bench.expectNothingLeft();
});

test('reading after closing is refused', async () => {
  await waveform.close();
  await expectCode(waveform.read({ start: 0, end: 1 }), 'INTERNAL');
});

test('two recordings at once do not touch each other', async () => {
  const other = await bench.open(await bench.write('other.wav', wavBytes(noise(100, 7))));
  await other.close();
  expect(await waveform.read({ start: 0, end: 1000 })).toEqual(EXPECTED);
});
