import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Upload } from '../jobs/contracts.ts';
import type { AudioStore, SharedAudio, ShareTerms } from './audio-store.ts';

export const DOWNLOAD_PATH = '/stt/handover';
export const DOWNLOAD_KEY_BYTES = 32;

/**
 * Recordings that workers fetch from this gateway: a URL names one recording of one job, is signed,
 * and ends with the job or at its time.
 */
export class SignedDownloads implements AudioStore {
  readonly #publicUrl: string;
  readonly #key: Buffer;
  readonly #recordings = new Map<string, Upload>();

  /**
   * `publicUrl`: the address of this very process as workers reach it; `key`: what its URLs are signed
   * with, by the next process too if they are to outlive this one.
   */
  constructor(publicUrl: string, key: Buffer = randomBytes(DOWNLOAD_KEY_BYTES)) {
    this.#publicUrl = publicUrl.replace(/\/$/, '');
    this.#key = key;
  }

  async share(recording: Upload, { name, validMs }: ShareTerms): Promise<SharedAudio> {
    const claim = `${name}.${Math.ceil((Date.now() + validMs) / 1000)}`;
    const signature = this.#sign(claim).toString('base64url');
    return {
      ...this.resume(recording, name),
      url: `${this.#publicUrl}${DOWNLOAD_PATH}/${claim}.${signature}`,
    };
  }

  resume(recording: Upload, name: string): Pick<SharedAudio, 'remove'> {
    this.#recordings.set(name, recording);
    return {
      remove: async () => {
        this.#recordings.delete(name);
        return true;
      },
    };
  }

  /** The recording that a token names; undefined for a forged, expired or finished one. */
  find(token: string): Upload | undefined {
    const [id = '', expiresAtSec = '', signature = ''] = token.split('.');
    const expected = this.#sign(`${id}.${expiresAtSec}`);
    const given = Buffer.from(signature, 'base64url');
    if (given.length !== expected.length || !timingSafeEqual(given, expected)) return undefined;
    return Number(expiresAtSec) * 1000 > Date.now() ? this.#recordings.get(id) : undefined;
  }

  #sign(claim: string): Buffer {
    return createHmac('sha256', this.#key).update(claim).digest();
  }
}
