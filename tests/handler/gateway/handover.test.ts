import { createHash } from 'node:crypto';
import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fastify from 'fastify';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { MAX_INLINE_BYTES } from '../../../handler/dispatch/inline-audio.ts';
import { byteRangeOf } from '../../../handler/gateway/byte-range.ts';
import { readDownloadKey } from '../../../handler/gateway/download-key.ts';
import {
  type HandoverOptions,
  handOver,
  resumeHandover,
} from '../../../handler/gateway/hand-over.ts';
import { registerSignedDownloads } from '../../../handler/gateway/register-signed-downloads.ts';
import { S3Bucket } from '../../../handler/gateway/s3-bucket.ts';
import { SignedDownloads } from '../../../handler/gateway/signed-downloads.ts';
import type { Upload } from '../../../handler/jobs/contracts.ts';
import { expectCode } from '../../fakes/audio-workbench.ts';
import { startBucketServer } from '../../fakes/bucket-server.ts';

const { signal } = new AbortController();
let folder: string;
let small: Upload;
let large: Upload;
let bucket: Awaited<ReturnType<typeof startBucketServer>>;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'stt-handover-'));
  bucket = await startBucketServer();
  small = await recording('small', 1000);
  large = await recording('large', MAX_INLINE_BYTES + 1);
});

afterAll(async () => {
  await bucket.close();
  await rm(folder, { recursive: true });
});

async function recording(name: string, bytes: number): Promise<Upload> {
  const path = join(folder, name);
  await writeFile(path, Buffer.alloc(bytes, name));
  return { path, bytes };
}

const options = (store?: HandoverOptions['store']): HandoverOptions => ({
  store,
  validMs: 60_000,
  audio: { root: folder, maxBytes: 100_000_000, spoolDir: join(folder, 'spool') },
});

const jobWith = (input: Record<string, unknown>, upload: Upload | null = null) => ({
  id: 'j1',
  tenant: null,
  input,
  upload,
});

const terms = (validMs: number) => ({ name: 'j1', validMs });

const digestOf = (bytes: ArrayBuffer | Buffer): string =>
  createHash('sha256')
    .update(bytes instanceof ArrayBuffer ? new Uint8Array(bytes) : bytes)
    .digest('hex');

const bytesOf = async (url: string): Promise<ArrayBuffer> => (await fetch(url)).arrayBuffer();

const urlOf = ({ input }: { input: Readonly<Record<string, unknown>> }): string =>
  String(input['audio_url']);

test('a small recording travels inside the job', async () => {
  const { input } = await handOver(jobWith({ language: 'ko' }, small), options(), signal);
  const audio_base64 = Buffer.alloc(1000, 'small').toString('base64');
  expect(input).toEqual({ language: 'ko', audio_base64 });
});

test('a large recording without a store is refused with what to do', async () => {
  const error = await expectCode(
    handOver(jobWith({}, large), options(), signal),
    'AUDIO_TOO_LARGE',
  );
  expect(error.message).toContain(String(MAX_INLINE_BYTES));
});

test('a URL is left to the worker, a path below the root is not', async () => {
  const withUrl = jobWith({ audio_url: 'https://a.example/b.wav', language: 'en' });
  expect((await handOver(withUrl, options(), signal)).input).toEqual(withUrl.input);
  const { input } = await handOver(jobWith({ audio_url: 'small' }), options(), signal);
  expect(Object.keys(input)).toEqual(['audio_base64']);
  const outside = handOver(jobWith({ audio_url: '../../etc/hostname' }), options(), signal);
  await expectCode(outside, 'PATH_FORBIDDEN');
});

test('with keys a path is looked for below the tenant’s own folder', async () => {
  const foreign = { ...jobWith({ audio_url: join(folder, 'small') }), tenant: 'acme' };
  await expectCode(handOver(foreign, options(), signal), 'AUDIO_NOT_FOUND');
});

test('a large recording goes through the bucket and is removed with its job', async () => {
  const store = new S3Bucket(bucket.address);
  const remote = await handOver(jobWith({}, large), options(store), signal);
  expect(await bucket.objects()).toHaveLength(1);
  const url = urlOf(remote);
  expect(new URL(url).searchParams.get('X-Amz-Expires')).toBe('60');
  expect(digestOf(await bytesOf(url))).toBe(digestOf(Buffer.alloc(large.bytes, 'large')));
  expect(await remote.release()).toBe(true);
  expect(await bucket.objects()).toEqual([]);
});

test('large audio in base64 goes through the bucket too, and leaves no file', async () => {
  const store = new S3Bucket(bucket.address);
  const audio_base64 = Buffer.alloc(large.bytes, 'large').toString('base64');
  const remote = await handOver(jobWith({ audio_base64, language: 'en' }), options(store), signal);
  expect(Object.keys(remote.input)).toEqual(['language', 'audio_url']);
  expect(digestOf(await bytesOf(urlOf(remote)))).toBe(digestOf(Buffer.alloc(large.bytes, 'large')));
  expect(await remote.release()).toBe(true);
  expect(await bucket.objects()).toEqual([]);
  expect(await readdir(join(folder, 'spool'))).toEqual([]);
});

test('a bucket that refuses or cannot be reached is HANDOVER_FAILED', async () => {
  const wrongKey = new S3Bucket({ ...bucket.address, accessKeyId: 'other' });
  await expectCode(wrongKey.share(large, terms(1000), signal), 'HANDOVER_FAILED');
  const nowhere = new S3Bucket({ ...bucket.address, endpoint: 'http://127.0.0.1:1' });
  await expectCode(nowhere.share(small, terms(1000), signal), 'HANDOVER_FAILED');
  expect(await bucket.objects()).toEqual([]);
});

test('a signed URL of the gateway serves one recording until its job has ended', async () => {
  const server = fastify();
  const downloads = new SignedDownloads('http://gateway.example/');
  registerSignedDownloads(server, downloads);
  const shared = await downloads.share(small, terms(60_000));
  const path = shared.url.replace('http://gateway.example', '');
  const get = (url: string, headers = {}) => server.inject({ method: 'GET', url, headers });
  const whole = await get(path);
  expect(whole.statusCode).toBe(200);
  expect(whole.headers).toMatchObject({ 'content-length': '1000', 'cache-control': 'no-store' });
  expect(digestOf(whole.rawPayload)).toBe(digestOf(Buffer.alloc(1000, 'small')));
  const part = await get(path, { range: 'bytes=990-' });
  expect(part.statusCode).toBe(206);
  expect(part.headers['content-range']).toBe('bytes 990-999/1000');
  expect(part.rawPayload).toHaveLength(10);
  expect((await get(path, { range: 'bytes=1000-' })).statusCode).toBe(416);
  const [id, expiry, signature] = path.split('/').at(-1)!.split('.');
  const forged = [
    `${id}.${Number(expiry) + 60}.${signature}`,
    `${id}.${expiry}.${signature}A`,
    `${id}.${expiry}`,
    'x',
  ];
  for (const token of forged) expect((await get(`/stt/handover/${token}`)).statusCode).toBe(404);
  const other = new SignedDownloads('http://gateway.example');
  expect(other.find(path.split('/').at(-1)!)).toBeUndefined();
  await shared.remove();
  expect((await get(path)).statusCode).toBe(404);
  const expired = await downloads.share(small, terms(-1000));
  expect(downloads.find(expired.url.split('/').at(-1)!)).toBeUndefined();
  await server.close();
});

test.each([
  [undefined, 'whole'],
  ['bytes=0-9', { start: 0, end: 9 }],
  ['bytes=95-200', { start: 95, end: 99 }],
  ['bytes=-10', { start: 90, end: 99 }],
  ['bytes=-1000', { start: 0, end: 99 }],
  ['bytes=-0', 'unsatisfiable'],
  ['bytes=100-', 'unsatisfiable'],
  ['bytes=9-3', 'whole'],
  ['bytes=0-1,5-6', 'whole'],
  ['bytes=-', 'whole'],
  ['items=0-1', 'whole'],
])('the range %s of 100 bytes is %j', (header, expected) => {
  expect(byteRangeOf(header, 100)).toEqual(expected);
});

test('a URL that was signed before a restart leads to the same recording, if the key was kept', async () => {
  const dataDir = join(folder, 'data');
  const before = new SignedDownloads('http://gateway.example', readDownloadKey(dataDir));
  const token = (await before.share(small, terms(60_000))).url.split('/').at(-1)!;
  const after = new SignedDownloads('http://gateway.example', readDownloadKey(dataDir));
  expect(after.find(token)).toBeUndefined();
  const job = jobWith({}, small);
  expect(await resumeHandover(job, options(after))).toBeInstanceOf(Function);
  expect(after.find(token)).toBeUndefined(); // it is small and travelled inside the job
  const { remove } = after.resume(small, 'j1');
  expect(after.find(token)).toEqual(small);
  await remove();
  expect(after.find(token)).toBeUndefined();
  expect((await stat(join(dataDir, 'download-key'))).mode & 0o777).toBe(0o600);
});

test('what was shared through the bucket is removed by whoever takes the job up', async () => {
  const store = new S3Bucket(bucket.address);
  await handOver(jobWith({}, large), options(store), signal);
  const release = await resumeHandover(jobWith({}, large), options(new S3Bucket(bucket.address)));
  expect(await bucket.objects()).toHaveLength(1);
  expect(await release()).toBe(true);
  expect(await bucket.objects()).toEqual([]);
});
