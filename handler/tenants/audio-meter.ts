import type { Admission } from './admission.ts';

/**
 * Counts the audio of one run of a job: once, as soon as its length is known, so that nobody gets a
 * transcript by leaving before the end. It is given back where no transcript came of it, unless the
 * caller wanted it no more.
 */
export class AudioMeter {
  readonly #admission: Admission;
  readonly #tenant: string | null;
  /** Null: not yet. */
  #countedSec: number | null;

  /** `countedSec`: what was counted before, by an earlier run. */
  constructor(admission: Admission, tenant: string | null, countedSec: number | null) {
    this.#admission = admission;
    this.#tenant = tenant;
    this.#countedSec = countedSec;
  }

  /** At the end of a job that did not tell before. */
  countAtEnd(audioSec: number): void {
    if (this.#countedSec !== null) return;
    this.#countedSec = audioSec;
    this.#admission.countAudio(this.#tenant, audioSec, 1);
  }

  /** True for the first call. @throws {LimitExceeded} QUOTA_EXCEEDED, and nothing is counted. */
  count(audioSec: number): boolean {
    if (this.#countedSec !== null) return false;
    this.#admission.assertAudioLeft(this.#tenant);
    this.#countedSec = audioSec;
    this.#admission.countAudio(this.#tenant, audioSec, 1);
    return true;
  }

  giveBack(): void {
    if (!this.#countedSec) return;
    this.#admission.countAudio(this.#tenant, -this.#countedSec, -1);
    this.#countedSec = 0;
  }
}
