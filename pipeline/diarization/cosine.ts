/** Of unit vectors: 0 for the same direction, 1 for unrelated ones, 2 for opposite ones. */
export function cosineDistance(a: Float32Array, b: Float32Array): number {
  let product = 0;
  for (let i = 0; i < a.length; i++) product += a[i]! * b[i]!;
  return 1 - product;
}
