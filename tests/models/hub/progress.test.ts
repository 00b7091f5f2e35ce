import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { DownloadProgress } from '../../../models/hub/options.ts';
import { describeProgress, everyFewSeconds } from '../../../models/hub/progress-lines.ts';
import { ProgressMeter } from '../../../models/hub/progress-meter.ts';
import { createDownloadView } from '../../../scripts/download-view.ts';

const MEGABYTE = 1e6;

beforeEach(() => void vi.useFakeTimers({ toFake: ['performance'] }));
afterEach(() => void vi.useRealTimers());

describe('progress', () => {
  test('is measured over the last seconds, of what came over the network', () => {
    const reports: DownloadProgress[] = [];
    const file = { path: 'a', sizeBytes: 100 * MEGABYTE };
    const meter = new ProgressMeter(file, 200, (report) => reports.push(report));
    meter.update(0, 40 * MEGABYTE); // left by an earlier run
    for (let second = 1; second <= 10; second += 1) {
      vi.advanceTimersByTime(1000);
      const bytes = second <= 5 ? MEGABYTE : 4 * MEGABYTE;
      meter.update(bytes, 40 * MEGABYTE + second);
    }
    expect(reports[0]).toMatchObject({ doneBytes: 40 * MEGABYTE, bytesPerSec: 0 });
    expect(reports[5]!.bytesPerSec).toBeCloseTo(MEGABYTE);
    expect(reports.at(-1)!.bytesPerSec).toBeCloseTo(4 * MEGABYTE);
  });

  test('is reported at most so often, but always at the end', () => {
    const done: number[] = [];
    const meter = new ProgressMeter({ path: 'a', sizeBytes: 50 }, 1000, ({ doneBytes }) =>
      done.push(doneBytes),
    );
    for (let bytes = 0; bytes <= 50; bytes += 1) meter.update(1, bytes);
    expect(done).toEqual([0, 50]);
  });

  test('of all files together becomes one line every few seconds', () => {
    const lines: string[] = [];
    const report = everyFewSeconds(5000, (progress) => lines.push(describeProgress(progress)));
    const at = (file: string, doneBytes: number, bytesPerSec: number): void =>
      report({ file, doneBytes, totalBytes: 100 * MEGABYTE, bytesPerSec });
    at('a', 10 * MEGABYTE, 5 * MEGABYTE);
    expect(lines).toEqual([]);
    vi.advanceTimersByTime(5000);
    at('b', 20 * MEGABYTE, 5 * MEGABYTE);
    at('a', 30 * MEGABYTE, 5 * MEGABYTE);
    vi.advanceTimersByTime(5000);
    at('a', 100 * MEGABYTE, 50 * MEGABYTE); // complete: its speed is of the past
    expect(lines).toEqual(['30 of 200 MB, 10 MB/s, 17 s left', '120 of 200 MB, 5 MB/s, 16 s left']);
  });

  test('without speed names no end', () => {
    const stuck = { files: 1, doneBytes: 0, totalBytes: MEGABYTE, bytesPerSec: 0 };
    expect(describeProgress(stuck)).toBe('0 of 1 MB, 0 MB/s');
  });
});

describe('the view of a download', () => {
  const show = (isTerminal: boolean): string => {
    const stream = Object.assign(new PassThrough(), { isTTY: isTerminal, columns: 120, rows: 20 });
    const view = createDownloadView(stream as unknown as NodeJS.WriteStream);
    const whole = { totalBytes: 8 * MEGABYTE, bytesPerSec: 2 * MEGABYTE };
    view.hooks.onRetry?.({ file: 'file list', failures: 1, waitMs: 1, reason: 'It asks to wait' });
    view.hooks.onProgress?.({ file: 'config.json', doneBytes: 4 * MEGABYTE, ...whole });
    view.hooks.onRetry?.({ file: 'config.json', failures: 1, waitMs: 500, reason: 'It broke' });
    vi.advanceTimersByTime(6000);
    view.hooks.onProgress?.({ file: 'config.json', doneBytes: 8 * MEGABYTE, ...whole });
    view.hooks.onQuantize?.({ ...whole, file: 'weights', doneBytes: MEGABYTE, bytesPerSec: 0 });
    view.hooks.onPinMissed?.({ model: 'org/name', pinned: 'abc', used: 'main' });
    view.stop();
    return String(stream.read());
  };

  test('is bars on a terminal', () => {
    const text = show(true);
    expect(text).toMatch(/[█░]+ 100 % of 8\.0 MB, 2\.0 MB\/s {2}config\.json/);
    expect(text).toContain('file list: It asks to wait\n');
    expect(text).toMatch(/[█░]+ 12 % of 8\.0 MB {2}weights in 8 bits/);
  });

  test('is lines elsewhere', () => {
    expect(show(false).trim().split('\n')).toEqual([
      'file list: It asks to wait; trying again in 0.0 s',
      'config.json: It broke; trying again in 0.5 s',
      '8 of 8 MB, 0 MB/s',
      'in 8 bits: 1 of 8 MB, 0 MB/s',
      'org/name: not the pinned abc but main',
    ]);
  });
});
