import { expect, test } from 'vitest';
import { secToSamples } from '../../../audio/time.ts';
import { contextSamples } from '../../../models/whisper/encoder-context.ts';

const contextSec = (sec: number, shortContext?: boolean): number =>
  contextSamples({
    waveform: new Float32Array(secToSamples(sec)),
    ...(shortContext !== undefined && { shortContext }),
  }) / secToSamples(1);

test('only a short window that asks for it is read with less padding, and 5 s of it are left', () => {
  expect([contextSec(1), contextSec(1, false), contextSec(28, false)]).toEqual([30, 30, 30]);
  expect([contextSec(0.5, true), contextSec(15, true)]).toEqual([20, 20]);
  expect([contextSec(15.01, true), contextSec(30, true)]).toEqual([30, 30]);
});
