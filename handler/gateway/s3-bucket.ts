import { createReadStream } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { AwsClient } from 'aws4fetch';
import { request } from 'undici';
import { SttError } from '../../core/errors.ts';
import type { Upload } from '../jobs/contracts.ts';
import type { AudioStore, SharedAudio, ShareTerms } from './audio-store.ts';

export interface BucketAddress {
  readonly endpoint: string;
  readonly bucket: string;
  readonly region: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

const ATTEMPTS = 3;
const RETRY_MS = 300;
/** For the gateway's own requests. */
const OWN_REQUEST_SEC = 900;
/** The longest that S3 signs for: a week. */
const MAX_VALID_SEC = 604_800;

/** Recordings under the names of their jobs, which nobody can guess, in an S3-compatible bucket, for as long as their job runs. */
export class S3Bucket implements AudioStore {
  readonly #client: AwsClient;
  readonly #address: BucketAddress;

  constructor(address: BucketAddress) {
    const { accessKeyId, secretAccessKey, region } = address;
    this.#client = new AwsClient({ accessKeyId, secretAccessKey, region, service: 's3' });
    this.#address = address;
  }

  resume(_: Upload, name: string): Pick<SharedAudio, 'remove'> {
    return { remove: () => this.#remove(name) };
  }

  async share(
    recording: Upload,
    { name, validMs }: ShareTerms,
    signal: AbortSignal,
  ): Promise<SharedAudio> {
    try {
      await this.#put(name, recording, signal);
      return {
        url: await this.#signedUrl('GET', name, Math.ceil(validMs / 1000)),
        remove: () => this.#remove(name),
      };
    } catch (thrown) {
      await this.#remove(name);
      signal.throwIfAborted();
      throw thrown instanceof SttError ? thrown : failed('could not be reached', thrown);
    }
  }

  async #put(name: string, { path, bytes }: Upload, signal: AbortSignal): Promise<void> {
    await this.#persist(async () => {
      const { statusCode, body } = await request(
        await this.#signedUrl('PUT', name, OWN_REQUEST_SEC),
        {
          method: 'PUT',
          headers: { 'content-length': String(bytes) },
          body: createReadStream(path),
          signal,
        },
      );
      await body.dump();
      return statusCode;
    }, signal);
  }

  async #remove(name: string): Promise<boolean> {
    const send = async (): Promise<number> => {
      const url = await this.#signedUrl('DELETE', name, OWN_REQUEST_SEC);
      const { statusCode, body } = await request(url, { method: 'DELETE' });
      await body.dump();
      return statusCode === 404 ? 204 : statusCode;
    };
    return this.#persist(send).then(
      () => true,
      () => false,
    );
  }

  /** Server errors and lost connections are tried again: every request has the same effect twice. */
  async #persist(send: () => Promise<number>, signal?: AbortSignal): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      const isLast = attempt === ATTEMPTS;
      try {
        const status = await send();
        if (status < 300) return;
        if (isLast || status < 500) throw failed(`answered with HTTP ${status}`);
      } catch (thrown) {
        if (isLast || thrown instanceof SttError || signal?.aborted) throw thrown;
      }
      await sleep(RETRY_MS * attempt, undefined, signal && { signal });
    }
  }

  async #signedUrl(method: string, name: string, validSec: number): Promise<string> {
    const { endpoint, bucket } = this.#address;
    const url = new URL(
      `${endpoint.replace(/\/$/, '')}/${encodeURIComponent(bucket)}/${encodeURIComponent(name)}`,
    );
    url.searchParams.set('X-Amz-Expires', String(Math.min(MAX_VALID_SEC, validSec)));
    const signed = await this.#client.sign(url, { method, aws: { signQuery: true } });
    return signed.url;
  }
}

const failed = (what: string, cause?: unknown): SttError =>
  new SttError('HANDOVER_FAILED', `The bucket for recordings ${what}`, { cause });
