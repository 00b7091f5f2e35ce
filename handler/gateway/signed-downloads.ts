import { createHmac, randomBytes, randomUUID, timingSafeEqual } from 'node:crypto';
import type { Upload } from '../jobs/contracts.ts';
import type { AudioStore, SharedAudio } from './audio-store.ts';

export const DOWNLOAD_PATH = '/stt/handover';
const KEY_BYTES = 32;

/**
 * Recordings that workers fetch from this gateway: a URL names one recording of one job, is signed
 * by a key that lives as long as this process, and ends with the job or at its time.
 */
export class SignedDownloads implements AudioStore {
  readonly #publicUrl: string;
  readonly #key = randomBytes(KEY_BYTES);
  readonly #recordings = new Map<string, Upload>();

  /** `publicUrl`: the address of this very process as workers reach it. */
  constructor(publicUrl: string) {
    this.#publicUrl = publicUrl.replace(/\/$/, '');
  }

  async share(recording: Upload, validMs: number): Promise<SharedAudio> {
    const id = randomUUID();
    this.#recordings.set(id, recording);
    const claim = `${id}.${Math.ceil((Date.now() + validMs) / 1000)}`;
    return {
      url: `${this.#publicUrl}${DOWNLOAD_PATH}/${claim}.${this.#sign(claim).toString('base64url')}`,
      remove: async () => {
        this.#recordings.delete(id);
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
