import { expect, test } from 'vitest';
import { createProgressDisplay } from '../../../handler/local/progress-display.ts';
import { CapturedStream } from '../../fakes/captured-stream.ts';

test('without a terminal progress is a few lines', () => {
  const stream = new CapturedStream();
  const display = createProgressDisplay(stream, 1);
  for (let percent = 0; percent <= 100; percent++) display.update(0, percent / 100);
  display.close();
  expect(stream.lines).toEqual(['25 % done', '50 % done', '75 % done', '100 % done']);
});

test('progress is the mean over all jobs and never falls', () => {
  const stream = new CapturedStream();
  const display = createProgressDisplay(stream, 2);
  display.update(0, 1);
  display.update(0, 0.2);
  display.update(1, 0.5);
  expect(stream.lines).toEqual(['50 % done', '75 % done']);
});

test('on a terminal progress is a bar, and lines in between are not lost', () => {
  const stream = new CapturedStream(true);
  const display = createProgressDisplay(stream, 3);
  display.update(0, 1);
  display.write('{"message":"job completed"}\n');
  display.update(1, 1);
  display.update(2, 1);
  display.write('last words\n');
  display.close();
  expect(stream.text).toContain('100 % of 3 jobs');
  expect(stream.text).toContain('{"message":"job completed"}\n');
  expect(stream.text).toContain('last words\n');
  expect(stream.text).toContain('\u001b[');
});

test('on a terminal a model on its way has a bar of its own; elsewhere its lines must do', () => {
  const stream = new CapturedStream(true);
  const display = createProgressDisplay(stream, 1);
  const half = { file: 'model.safetensors', doneBytes: 4e6, totalBytes: 8e6, bytesPerSec: 2e6 };
  display.transfer?.(half);
  display.transfer?.({ ...half, file: '8 bits', bytesPerSec: 0 });
  display.close();
  expect(stream.text).toContain('50 % of 8.0 MB, 2.0 MB/s  model.safetensors');
  expect(stream.text).toContain('50 % of 8.0 MB  8 bits');
  expect(stream.text).toContain('0 % · ');
  expect(createProgressDisplay(new CapturedStream(), 1).transfer).toBeUndefined();
});
