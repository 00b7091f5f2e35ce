/** Floating point allows for any value; nothing recorded is more than 36 dB above full scale. */
const MAX_SAMPLE = 64;

/** Puts a sample of 0 in the place of what is no number, and limits what no recorder writes. */
export function makeFinite(samples: Float32Array): void {
  for (let i = 0; i < samples.length; i += 1) {
    const value = samples[i]!;
    // A comparison with what is no number is false.
    if (value >= -MAX_SAMPLE && value <= MAX_SAMPLE) continue;
    samples[i] = Number.isNaN(value) ? 0 : Math.sign(value) * MAX_SAMPLE;
  }
}
