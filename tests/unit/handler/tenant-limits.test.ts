import { expect, test } from 'vitest';
import { loadConfig } from '../../../core/config.ts';
import { Admission } from '../../../handler/tenants/admission.ts';
import { AudioMeter } from '../../../handler/tenants/audio-meter.ts';
import type { TenantLimits } from '../../../handler/tenants/tenant.ts';
import { UploadSpace } from '../../../handler/tenants/upload-space.ts';
import { MemoryUsageLedger } from '../../../handler/tenants/usage-ledger.ts';
import { assertWebhookSecrets } from '../../../handler/webhooks/webhook-secrets.ts';

const LIMITS: TenantLimits = {
  requestsPerMin: 10,
  concurrentJobs: 2,
  queuedJobs: 3,
  audioMinPerDay: 1,
  maxUploadBytes: undefined,
  storedUploadBytes: 100,
};
const TENANT = { id: 'acme', limits: LIMITS };
const CALLER = { tenant: TENANT, keyId: null };

function admission(running = 0) {
  const ledger = new MemoryUsageLedger();
  const limitsOf = (id: string) => (id === 'acme' ? LIMITS : undefined);
  const parts = { ledger, limitsOf, runningOf: () => running };
  return { ledger, admission: new Admission(parts) };
}

const codeOf = (work: () => unknown): unknown => {
  try {
    work();
    return 'allowed';
  } catch (thrown) {
    return (thrown as { code: string }).code;
  }
};

test('jobs that are waited for and those that are not share what a tenant may have at work', () => {
  const waited = admission().admission;
  const end = waited.beginJob(CALLER);
  expect(waited.mayRun('acme', 0)).toBe(true);
  expect(waited.mayRun('acme', 1)).toBe(false);
  waited.beginJob(CALLER);
  expect(codeOf(() => waited.beginJob(CALLER))).toBe('CONCURRENCY_LIMITED');
  end();
  end();
  expect(waited.mayRun('acme', 0)).toBe(true);
  const beside = admission(2).admission;
  expect(codeOf(() => beside.beginJob(CALLER))).toBe('CONCURRENCY_LIMITED');
});

test('requests that arrive are limited before they are read, those for later more widely', () => {
  const { admission: entry } = admission(2);
  const leave = [entry.holdRequest(CALLER, false), entry.holdRequest(CALLER, false)];
  expect(codeOf(() => entry.holdRequest(CALLER, false))).toBe('CONCURRENCY_LIMITED');
  for (let more = 0; more < 3; more += 1) entry.holdRequest(CALLER, true);
  expect(codeOf(() => entry.holdRequest(CALLER, true))).toBe('CONCURRENCY_LIMITED');
  leave[0]?.();
  expect(codeOf(() => entry.holdRequest(CALLER, true))).toBe('allowed');
});

test('a tenant without audio left gets no job run, and one without keys gets one at a time', () => {
  const { admission: gate, ledger } = admission();
  ledger.add('acme', { jobs: 1, audioSec: 60 });
  expect(gate.mayRun('acme', 0)).toBe(false);
  expect(codeOf(() => gate.holdRequest(CALLER, true))).toBe('QUOTA_EXCEEDED');
  expect(gate.mayRun('former', 0)).toBe(true);
  expect(gate.mayRun('former', 1)).toBe(false);
  expect(gate.mayRun(null, 1000)).toBe(true);
});

test('audio counts once, when it is known, and is given back where no transcript came of it', () => {
  const { admission: gate, ledger } = admission();
  const meter = new AudioMeter(gate, 'acme', null);
  expect(meter.count(90)).toBe(true);
  expect(meter.count(90)).toBe(false);
  expect(ledger.audioSecToday('acme')).toBe(90);
  expect(codeOf(() => new AudioMeter(gate, 'acme', null).count(1))).toBe('QUOTA_EXCEEDED');
  meter.giveBack();
  meter.giveBack();
  expect(ledger.audioSecToday('acme')).toBe(0);
});

test('audio that an earlier run has counted is not counted again, but given back', () => {
  const { admission: gate, ledger } = admission();
  ledger.add('acme', { jobs: 1, audioSec: 60 });
  const again = new AudioMeter(gate, 'acme', 60);
  expect(again.count(60)).toBe(false);
  again.giveBack();
  expect(ledger.audioSecToday('acme')).toBe(0);
  const live = new AudioMeter(gate, 'acme', 0);
  expect(live.count(60)).toBe(false);
  live.giveBack();
  expect(ledger.audioSecToday('acme')).toBe(0);
});

test('uploads take no more of the disk than a tenant, and all together, may have', () => {
  const space = new UploadSpace(150);
  const mine = space.open(TENANT);
  mine.add(90);
  expect(codeOf(() => space.open(TENANT).add(11))).toBe('QUEUE_LIMITED');
  const others = space.open({ id: 'other', limits: LIMITS });
  others.add(60);
  expect(codeOf(() => others.add(1))).toBe('SERVICE_BUSY');
  mine.release();
  mine.release();
  expect(codeOf(() => space.open(null).add(90))).toBe('allowed');
  expect(codeOf(() => space.open(TENANT).add(1))).toBe('SERVICE_BUSY');
});

test('a secret for webhooks that cannot sign is refused at the start', () => {
  const { webhookSecrets } = loadConfig({ WEBHOOK_SECRETS: 'whsec_short' }).jobs;
  expect(codeOf(() => assertWebhookSecrets(webhookSecrets))).toBe('INPUT_INVALID');
  const good = `whsec_${Buffer.alloc(24, 7).toString('base64')}`;
  expect(codeOf(() => assertWebhookSecrets([good]))).toBe('allowed');
  expect(codeOf(() => assertWebhookSecrets([good.replace('_', '-')]))).toBe('INPUT_INVALID');
});
