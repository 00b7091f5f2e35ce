import { expect, test } from 'vitest';
import { createLogger } from '../../../core/logger.ts';
import type { WorkerProgress } from '../../../handler/job.ts';
import { tellingEarly } from '../../../handler/runpod/live-progress.ts';

const segment = (start: number, text = 'words') => ({ start, end: start + 1, text, confidence: 1 });

function telling() {
  const told: WorkerProgress[] = [];
  const context = tellingEarly({
    signal: new AbortController().signal,
    logger: createLogger('silent', { write: () => undefined }),
    onProgress: (progress) => void told.push(progress),
  });
  return { context, told };
}

test('progress tells how long the recording is and what is finished of it', () => {
  const { context, told } = telling();
  context.onProgress({ stage: 'open_audio', fraction: 0 });
  context.onAudio?.(12.5);
  context.onSegments([segment(0)]);
  context.onProgress({ stage: 'transcribe', fraction: 0.5 });
  context.onSegments([segment(1)]);
  context.onProgress({ stage: 'transcribe', fraction: 1 });
  expect(told).toEqual([
    { stage: 'open_audio', fraction: 0 },
    {
      ...{ stage: 'transcribe', fraction: 0.5, audio_sec: 12.5 },
      segments: { first: 0, latest: [segment(0)] },
    },
    { stage: 'transcribe', fraction: 1, audio_sec: 12.5 }, // the result comes next
  ]);
});

test('of many segments the last are told, with their numbers', () => {
  const { context, told } = telling();
  const long = 'x'.repeat(1000);
  context.onSegments(Array.from({ length: 100 }, (_, index) => segment(index, long)));
  context.onProgress({ stage: 'transcribe', fraction: 0.5 });
  const { first, latest } = told[0]!.segments!;
  expect(first + latest.length).toBe(100);
  expect(latest[0]?.start).toBe(first);
  expect(JSON.stringify(told[0]).length).toBeLessThan(70_000);
});
