/** Enough for a wide screen, however long the recording is. */
const PEAKS_PER_SEC = 20;
/** Decoding is at this rate, so that an hour takes 115 MB for a moment. */
const DECODE_HZ = 8000;
const MAX_DECODED_BYTES = 300 * 1024 * 1024;

/** The loudness of a recording over time, as it is known so far. */
export class Peaks {
  /** @type {number[]} */
  #values = [];
  #rateHz;
  #rest = 0;
  #restSamples = 0;

  /** @param {number} rateHz of the samples */
  constructor(rateHz) {
    this.#rateHz = rateHz;
  }

  get durationSec() {
    return this.#values.length / PEAKS_PER_SEC;
  }

  /** @param {Float32Array | Int16Array} samples @param {number} fullScale */
  add(samples, fullScale) {
    const perPeak = Math.round(this.#rateHz / PEAKS_PER_SEC);
    for (const sample of samples) {
      this.#rest = Math.max(this.#rest, Math.abs(sample) / fullScale);
      this.#restSamples += 1;
      if (this.#restSamples < perPeak) continue;
      this.#values.push(this.#rest);
      this.#rest = 0;
      this.#restSamples = 0;
    }
  }

  /** The loudest of a stretch, 0 to 1. @param {number} startSec @param {number} endSec */
  loudest(startSec, endSec) {
    const first = Math.floor(startSec * PEAKS_PER_SEC);
    const last = Math.max(first + 1, Math.floor(endSec * PEAKS_PER_SEC));
    let loudest = 0;
    for (let index = first; index < last; index++) {
      loudest = Math.max(loudest, this.#values[index] ?? 0);
    }
    return loudest;
  }
}

/** Null where the browser cannot decode it, or should not try. @param {Blob} recording */
export async function peaksOf(recording) {
  if (recording.size > MAX_DECODED_BYTES) return null;
  try {
    const context = new OfflineAudioContext(1, 1, DECODE_HZ);
    const decoded = await context.decodeAudioData(await recording.arrayBuffer());
    const peaks = new Peaks(DECODE_HZ);
    peaks.add(decoded.getChannelData(0), 1);
    return peaks;
  } catch {
    return null;
  }
}
