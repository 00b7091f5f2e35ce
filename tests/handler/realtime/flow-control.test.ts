import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { SAMPLE_RATE_HZ } from '../../../audio/time.ts';
import { ERROR_CODES, type ErrorCode } from '../../../core/errors.ts';
import { CLOSE_CODES, closeCodeOf } from '../../../handler/realtime/close-codes.ts';
import { DEFAULT_CONNECTION_LIMITS } from '../../../handler/realtime/connection-parts.ts';
import { FlowControl } from '../../../handler/realtime/flow-control.ts';

const LIMITS = { ...DEFAULT_CONNECTION_LIMITS, maxSpeed: 2, burstSec: 60 };

function controlled() {
  const calls: string[] = [];
  const wire = { pause: () => calls.push('pause'), resume: () => calls.push('resume') };
  return { calls, flow: new FlowControl(wire, LIMITS, 0) };
}

/** Hears `speed` seconds of audio a second, and says after how many seconds reading stops. */
function secondsUntilHeld(speed: number): number | null {
  const { calls, flow } = controlled();
  flow.onAudio(0, 0, 0);
  for (let second = 1; second <= 600; second++) {
    flow.onAudio(second * speed * SAMPLE_RATE_HZ, 0, second * 1000);
    if (calls.length > 0) {
      flow.stop();
      return second;
    }
  }
  return null;
}

test('audio may come at twice the speed for ever, and faster only for a minute of it', () => {
  expect(secondsUntilHeld(1)).toBeNull();
  expect(secondsUntilHeld(2)).toBeNull();
  expect(secondsUntilHeld(3)).toBeCloseTo(60, -1);
  expect(secondsUntilHeld(120)).toBe(1);
});

test('a socket is read again when the text has caught up', () => {
  const { calls, flow } = controlled();
  flow.onAudio(0, 121 * SAMPLE_RATE_HZ, 0);
  expect([calls, flow.isHeld]).toEqual([['pause'], true]);
  flow.onAudio(0, 121 * SAMPLE_RATE_HZ, 100);
  flow.onAudio(0, 119 * SAMPLE_RATE_HZ, 200);
  expect([calls, flow.isHeld]).toEqual([['pause', 'resume'], false]);
});

test('messages that come in thousands wait with their client, however small they are', () => {
  const { calls, flow } = controlled();
  for (let message = 0; message < 2000; message++) flow.onMessage(1, 0);
  expect(calls).toEqual([]);
  flow.onMessage(1, 0);
  expect(calls).toEqual(['pause']);
  flow.stop();
  expect(calls).toEqual(['pause', 'resume']);
  const waiting = controlled();
  waiting.flow.onMessage(501, 0);
  waiting.flow.onWaiting(500);
  expect(waiting.calls).toEqual(['pause', 'resume']);
});

test('every error code has a close code that docs/realtime.md explains', () => {
  const codes = Object.keys(ERROR_CODES) as ErrorCode[]; // The table's own keys.
  const documented = [...readFileSync('docs/realtime.md', 'utf8').matchAll(/^\| (\d{4}) /gm)];
  const known = documented.map(([, code]) => Number(code));
  for (const code of codes) expect(known, code).toContain(closeCodeOf(code));
  for (const code of Object.values(CLOSE_CODES)) expect(known).toContain(code);
});

test('whoever is not to blame is told to come back, and whoever is is not', () => {
  for (const code of ['BUDGET_EXCEEDED', 'OUTCOME_UNKNOWN', 'DISK_FULL', 'SERVICE_BUSY'] as const) {
    expect(closeCodeOf(code)).toBe(1013);
  }
  expect(closeCodeOf('QUOTA_EXCEEDED')).toBe(4429);
  expect(closeCodeOf('AUDIO_UNDECODABLE')).toBe(4400);
  expect(closeCodeOf('INTERNAL')).toBe(1011);
});
