/** Of unit vectors: 0 for the same direction, 1 for unrelated ones, 2 for opposite ones. */
export function cosineDistance(a: Float32Array, b: Float32Array): number {
  let product = 0;
  for (let i = 0; i < a.length; i++) product += a[i]! * b[i]!;
  return 1 - product;
}

/** The unit vector of the sum, each vector counted with its weight; at least one vector. */
export function meanDirection(
  vectors: readonly Float32Array[],
  weights: readonly number[] = vectors.map(() => 1),
): Float32Array {
  const sum = new Float64Array(vectors[0]!.length);
  for (const [index, vector] of vectors.entries()) {
    for (let i = 0; i < sum.length; i++) sum[i]! += weights[index]! * vector[i]!;
  }
  const length = Math.hypot(...sum) || 1;
  return Float32Array.from(sum, (value) => value / length);
}
