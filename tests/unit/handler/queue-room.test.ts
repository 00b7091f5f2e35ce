import { expect, test } from 'vitest';
import { assertRoomInQueue, type QueueLimits } from '../../../handler/jobs/queue-room.ts';

const NOTHING = { queued: 0, running: 0, uploadBytes: 0 };
const TENANT = { queuedJobs: 2, concurrentJobs: 1, storedUploadBytes: 100 };
const LIMITS: QueueLimits = { maxQueued: 4, places: 2, maxUploadBytes: 1000, tenant: TENANT };

const codeFor = (
  own: Partial<typeof NOTHING>,
  others: Partial<typeof NOTHING> = {},
  { uploadBytes = 0, limits = LIMITS } = {},
): string => {
  const mine = { ...NOTHING, ...own };
  const theirs = { ...NOTHING, ...others };
  const all = {
    queued: mine.queued + theirs.queued,
    running: mine.running + theirs.running,
    uploadBytes: mine.uploadBytes + theirs.uploadBytes,
  };
  try {
    assertRoomInQueue({ own: mine, all }, uploadBytes, limits);
    return 'accepted';
  } catch (thrown) {
    expect(thrown).toMatchObject({ retryAfterSec: expect.any(Number), retryable: true });
    return (thrown as { code: string }).code;
  }
};

test('a tenant may have so many waiting beside those that run', () => {
  expect(codeFor({ queued: 1, running: 1 })).toBe('accepted');
  expect(codeFor({ queued: 2, running: 1 })).toBe('QUEUE_LIMITED');
  expect(codeFor({ queued: 2 })).toBe('accepted'); // one of them is about to run
  expect(codeFor({ queued: 3 })).toBe('QUEUE_LIMITED');
});

test('all together may have so many waiting beside those that run', () => {
  expect(codeFor({ running: 1 }, { queued: 3, running: 1 })).toBe('accepted');
  expect(codeFor({ running: 1 }, { queued: 4, running: 1 })).toBe('SERVICE_BUSY');
});

test('a tenant that has nothing finds room in a queue that others have filled', () => {
  expect(codeFor({}, { queued: 9, running: 2 })).toBe('accepted');
  expect(codeFor({ queued: 1 }, { queued: 9, running: 2 })).toBe('SERVICE_BUSY');
});

test('where none may wait a job is accepted while a place is free', () => {
  const limits = { ...LIMITS, maxQueued: 0, tenant: null };
  expect(codeFor({}, {}, { limits })).toBe('accepted');
  expect(codeFor({ running: 1 }, {}, { limits })).toBe('accepted');
  expect(codeFor({ running: 2 }, {}, { limits })).toBe('SERVICE_BUSY');
  expect(codeFor({ queued: 1, running: 1 }, {}, { limits })).toBe('SERVICE_BUSY');
});

test('recordings of jobs that wait take no more of the disk than they may', () => {
  expect(codeFor({ uploadBytes: 60 }, {}, { uploadBytes: 40 })).toBe('accepted');
  expect(codeFor({ uploadBytes: 60 }, {}, { uploadBytes: 41 })).toBe('QUEUE_LIMITED');
  expect(codeFor({}, { uploadBytes: 990 }, { uploadBytes: 11 })).toBe('SERVICE_BUSY');
  expect(codeFor({}, { uploadBytes: 2000 })).toBe('accepted'); // it brings none
});
