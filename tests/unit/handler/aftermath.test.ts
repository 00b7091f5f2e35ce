import { expect, test } from 'vitest';
import { type ErrorCode, SttError } from '../../../core/errors.ts';
import { aftermathOf } from '../../../handler/jobs/aftermath.ts';

const RUN = { maxAttempts: 3, isStopping: false, hasRepeated: false, goesOnElsewhere: false };
const ENDED = { kind: 'ended', state: 'failed' };

const after = (code: ErrorCode, attempts = 1, more: Partial<typeof RUN> = {}) =>
  aftermathOf({ error: new SttError(code, 'Why').toJSON() }, attempts, { ...RUN, ...more });

test.each(['ENGINE_CRASHED', 'MODEL_LOADING', 'GPU_OUT_OF_MEMORY', 'DISK_FULL'] as const)(
  'a run that failed with %s is made again, as often as allowed',
  (code) => {
    expect(after(code, 2)).toEqual({ kind: 'again', code, isCounted: true, isAtOnce: false });
    expect(after(code, 3)).toEqual(ENDED);
  },
);

test('a job that a shutdown interrupts goes back at once and as if it had not run', () => {
  const back = { kind: 'again', code: 'SHUTTING_DOWN', isCounted: false, isAtOnce: true };
  expect(after('SHUTTING_DOWN', 3, { isStopping: true })).toEqual(back);
});

test.each(['QUOTA_EXCEEDED', 'BUDGET_EXCEEDED'] as const)(
  'a job that may not begin yet (%s) waits, however often that happens',
  (code) => {
    expect(after(code, 9)).toEqual({ kind: 'again', code, isCounted: false, isAtOnce: false });
  },
);

test('what is wrong with the job, and what nobody knows, is final', () => {
  for (const code of ['AUDIO_EMPTY', 'INTERNAL', 'OUTCOME_UNKNOWN'] as const) {
    expect(after(code)).toEqual(ENDED);
  }
  expect(after('JOB_CANCELLED')).toEqual({ kind: 'ended', state: 'cancelled' });
});

test('a job that an endpoint has and that was lost from view is looked for again', () => {
  const again = { kind: 'again', code: 'OUTCOME_UNKNOWN', isCounted: true, isAtOnce: false };
  expect(after('OUTCOME_UNKNOWN', 1, { goesOnElsewhere: true })).toEqual(again);
  expect(after('OUTCOME_UNKNOWN', 3, { goesOnElsewhere: true })).toEqual(ENDED);
});

test('what an executor has tried again by itself is not tried again on top, but for what never ran', () => {
  const hasRepeated = true;
  expect(after('ENGINE_CRASHED', 1, { hasRepeated })).toEqual(ENDED);
  expect(after('ENDPOINT_UNAVAILABLE', 1, { hasRepeated })).toMatchObject({ kind: 'again' });
});
