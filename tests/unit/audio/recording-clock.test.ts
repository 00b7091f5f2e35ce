import { expect, test } from 'vitest';
import { RecordingClock } from '../../../audio/recording-clock.ts';
import { secToSamples } from '../../../audio/time.ts';

/** Blocks of 20 ms, 320 samples each. */
const BLOCK = 320;
const block = (timestampMs: number) => ({
  timestampMs,
  bytes: Buffer.alloc(4 * BLOCK),
  frameCount: BLOCK,
});
const blocks = (count: number, fromMs: number) =>
  Array.from({ length: count }, (_, index) => block(fromMs + 20 * index));
const hour = { maxGapSamples: secToSamples(3600) };

test('blocks that follow each other are one run', () => {
  const clock = new RecordingClock(hour);
  const placed = clock.place(blocks(50, 0));
  expect(placed.map(({ start, bytes }) => [start, bytes.length])).toEqual([[0, 200 * BLOCK]]);
  expect([clock.end, clock.gaps]).toEqual([secToSamples(1), []]);
});

test('a block behind a gap lies at its time', () => {
  const clock = new RecordingClock(hour);
  const placed = clock.place([...blocks(50, 0), ...blocks(50, 19_000)]);
  expect(placed.map(({ start }) => start)).toEqual([0, secToSamples(19)]);
  expect(clock.gaps).toEqual([{ start: secToSamples(1), end: secToSamples(19) }]);
});

test('what begins late begins late, and that is no gap between blocks', () => {
  const clock = new RecordingClock({ ...hour, startMs: 1400 });
  expect(clock.place(blocks(1, 4400)).map(({ start }) => start)).toEqual([secToSamples(3)]);
  expect(clock.gaps).toEqual([]);
});

test('timestamps that jitter by 15 ms move nothing', () => {
  const clock = new RecordingClock(hour);
  const jittering = blocks(500, 0).map(({ timestampMs }, index) =>
    block(timestampMs + (((index * 7919) % 31) - 15)),
  );
  expect(clock.place(jittering)).toHaveLength(1);
  expect(clock.end).toBe(500 * BLOCK);
});

test('single blocks that are missing add up, and the times stay within 50 ms', () => {
  const clock = new RecordingClock(hour);
  const all = blocks(5000, 0).filter((_, index) => index % 47 !== 5);
  for (const one of all) {
    clock.place([one]);
    const wanted = (one.timestampMs + 20) * 16;
    expect(Math.abs(clock.end - wanted)).toBeLessThan(800);
  }
});

test('timestamps that go back drop nothing, and gaps behind them are kept', () => {
  const clock = new RecordingClock(hour);
  clock.place([...blocks(500, 0), ...blocks(100, 0), ...blocks(100, 5000)]);
  expect(clock.gaps).toEqual([{ start: secToSamples(12), end: secToSamples(15) }]);
  expect(clock.end).toBe(secToSamples(17));
});

test('timestamps that stand still drop nothing', () => {
  const clock = new RecordingClock(hour);
  clock.place(Array.from({ length: 1000 }, () => block(0)));
  expect([clock.end, clock.gaps]).toEqual([1000 * BLOCK, []]);
});

test('a jump beyond the limit is closed, and gaps behind it are kept', () => {
  for (const jumpMs of [3_602_000, 4e12]) {
    const clock = new RecordingClock(hour);
    clock.place([...blocks(50, 0), ...blocks(50, jumpMs), ...blocks(50, jumpMs + 4000)]);
    expect(clock.gaps).toEqual([{ start: secToSamples(2), end: secToSamples(5) }]);
    expect(clock.end).toBe(secToSamples(6));
  }
});

test('frames that are known to be lost are a gap, though timestamps go on without them', () => {
  const lostFrames = [{ timestampMs: 1000, missingMs: 2500 }];
  const clock = new RecordingClock({ ...hour, lostFrames });
  clock.place(blocks(100, 0));
  expect(clock.gaps).toEqual([{ start: secToSamples(1), end: secToSamples(3.5) }]);
});
