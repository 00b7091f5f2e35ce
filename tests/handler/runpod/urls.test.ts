import { expect, test } from 'vitest';
import {
  fillIdentity,
  fillWorkerUrl,
  jobUrl,
  pingUrl,
  stopUrl,
  takeUrl,
  unhealthyPingUrl,
  withQuery,
} from '../../../handler/runpod/urls.ts';

const identity = { workerId: 'pod42', gpuTypeId: 'NVIDIA RTX A5000' };
const takeBase = 'https://x/v2/e/job-take/pod42?gpu=NVIDIA+RTX+A5000';

test('in a worker URL both $RUNPOD_POD_ID and $ID mean the worker', () => {
  const template = 'https://x/$RUNPOD_POD_ID/job-take/$ID?gpu=$RUNPOD_GPU_TYPE_ID';
  expect(fillWorkerUrl(template, identity)).toBe(
    'https://x/pod42/job-take/pod42?gpu=NVIDIA+RTX+A5000',
  );
});

test('in a post URL $ID stays for the job, which is encoded as a path segment', () => {
  const template = fillIdentity('https://x/job-done/$RUNPOD_POD_ID/$ID?gpu=G', identity);
  expect(template).toBe('https://x/job-done/pod42/$ID?gpu=G');
  expect(jobUrl(template, 'a/b$& c', false)).toBe(
    'https://x/job-done/pod42/a%2Fb%24%26%20c?gpu=G&isStream=false',
  );
});

test('a GPU name that is encoded already is not encoded twice', () => {
  const gpu = { ...identity, gpuTypeId: 'NVIDIA+RTX+A5000' };
  expect(fillIdentity('?gpu=$RUNPOD_GPU_TYPE_ID', gpu)).toBe('?gpu=NVIDIA+RTX+A5000');
});

test('a placeholder without a value stays as it is', () => {
  const unknown = { workerId: 'w', gpuTypeId: undefined };
  expect(fillIdentity('?gpu=$RUNPOD_GPU_TYPE_ID', unknown)).toBe('?gpu=$RUNPOD_GPU_TYPE_ID');
});

test('a query is appended with ? or & and the rest is left untouched', () => {
  expect(withQuery('https://x/a', 'b=1')).toBe('https://x/a?b=1');
  expect(withQuery('https://x/a?g=A+B%20C', 'b=1')).toBe('https://x/a?g=A+B%20C&b=1');
});

test('one job is taken from the single URL, more from the batch URL', () => {
  expect(takeUrl(takeBase, 1, false)).toBe(`${takeBase}&job_in_progress=0`);
  expect(takeUrl(takeBase, 3, true)).toBe(
    'https://x/v2/e/job-take-batch/pod42?gpu=NVIDIA+RTX+A5000&batch_size=3&job_in_progress=1',
  );
});

test('the stop URL is the take URL with another path, or none', () => {
  expect(stopUrl(takeBase)).toBe('https://x/v2/e/job-stop/pod42?gpu=NVIDIA+RTX+A5000');
  expect(stopUrl('https://x/other/pod42')).toBeUndefined();
});

test('a ping names the held jobs, and no job_id when there are none', () => {
  expect(pingUrl('https://x/ping?g=1', ['c1', 'c2'], '1.12.0')).toBe(
    'https://x/ping?g=1&job_id=c1%2Cc2&runpod_version=1.12.0',
  );
  expect(pingUrl('https://x/ping', [], '1.12.0')).toBe('https://x/ping?runpod_version=1.12.0');
});

test('an unhealthy ping cuts the reason to 256 characters', () => {
  const url = unhealthyPingUrl('https://x/p', { check: 'c', reason: 'r'.repeat(300) }, '1');
  expect(new URL(url).searchParams.get('reason')).toHaveLength(256);
});
