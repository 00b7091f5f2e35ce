import { Registry } from 'prom-client';
import { expect, test } from 'vitest';
import { LiveCount } from '../../../handler/http/live-count.ts';
import { SessionMeter } from '../../../handler/realtime/session-meter.ts';

const textOf = (registry: Registry): Promise<string> => registry.metrics();

test('live sessions are measured from the arrival of a sound until its words are told', async () => {
  const registry = new Registry();
  const { meters } = new LiveCount(registry);
  const session = new SessionMeter(meters);
  for (let second = 1; second <= 4; second++) session.heard(second * 16_000, second * 1000);
  const words = [{ text: ' yes', range: { start: 16_000, end: 24_000 }, confidence: 1 }];
  const final = { utteranceId: 1, endsUtterance: true, language: 'en' };
  session.told([{ type: 'final', words, ...final }], 3500); // Its last sample came at 2 s.
  session.told([{ type: 'final', words: [], ...final }], 9000);
  session.told([{ type: 'gap', range: { start: 32_000, end: 56_000 } }]);
  meters.window('recognised', 0.4);
  meters.window('failed', 9);
  meters.resumed('cut');
  meters.closed(1006);
  expect(meters.finalSec()).toEqual({ p50: 1.5, p95: 1.5 });
  const text = await textOf(registry);
  for (const line of [
    'stt_live_final_seconds_sum 1.5',
    'stt_live_final_seconds_count 1',
    'stt_live_gaps_total 1',
    'stt_live_gap_seconds_total 1.5',
    'stt_live_windows_total{outcome="failed"} 1',
    'stt_live_window_seconds_count 1',
    'stt_live_resumes_total{after="cut"} 1',
    'stt_live_closings_total{code="1006"} 1',
    'stt_live_lag_seconds 0',
  ]) {
    expect(text.split('\n')).toContain(line);
  }
});

test('sessions are told by tenant, and those that have ended no more', async () => {
  const registry = new Registry();
  const live = new LiveCount(registry);
  const byTenant = new Map<string | null, number>([
    ['acme', 2],
    [null, 1],
  ]);
  live.attach({ count: 3, lagSec: 12.5, countOf: () => 2, byTenant: () => byTenant });
  const before = (await textOf(registry)).split('\n');
  expect(before).toContain('stt_live_tenant_sessions{tenant="acme"} 2');
  expect(before).toContain('stt_live_tenant_sessions{tenant=""} 1');
  expect(before).toContain('stt_live_lag_seconds 12.5');
  byTenant.delete('acme');
  expect(await textOf(registry)).not.toContain('acme');
});
