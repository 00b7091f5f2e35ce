export const POSITIONS = 1500;

/** A window of noise as the encoder might have left it. */
export function encodedNoise(dModel: number, phase: number): Float32Array<ArrayBuffer> {
  return Float32Array.from(
    { length: POSITIONS * dModel },
    (_, i) => Math.sin(0.37 * i + phase) + Math.cos(i * i + phase),
  );
}
