/** Of the checkpoint with random weights. */
export const RANDOM_MELS = 128;
export const MEL_FRAMES = 3000;

/** "0.5 · sin(0.37 i + phase)"; the second item mirrored along the mels and scaled by 0.7. */
export function goldenFeatures(phase: number, mels = RANDOM_MELS): Float32Array<ArrayBuffer> {
  const size = mels * MEL_FRAMES;
  const values = Float32Array.from(
    { length: 2 * size },
    (_, i) => 0.5 * Math.sin(0.37 * i + phase),
  );
  const second = values.slice(size);
  for (let mel = 0; mel < mels; mel++) {
    for (let frame = 0; frame < MEL_FRAMES; frame++) {
      values[(mels + mel) * MEL_FRAMES + frame] =
        0.7 * second[(mels - 1 - mel) * MEL_FRAMES + frame]!;
    }
  }
  return values;
}
