import { cosineDistance } from './cosine.ts';
import { haveCommon } from './windows.ts';

export interface Voice {
  /** Unit vector. */
  readonly embedding: Float32Array;
  /** How much speech it was made from; any unit. */
  readonly weight: number;
  /** Two voices that share a window are two people. */
  readonly windows: ReadonlySet<number>;
}

export interface ClusterOptions {
  /** Cosine distance up to which groups are one person. */
  readonly maxDistance: number;
  readonly minClusters: number;
  readonly maxClusters: number;
}

/**
 * Groups voices into people: the two nearest groups are joined until none are near enough, by the
 * mean cosine distance between their voices weighted by speech (average linkage, updated as Lance
 * and Williams 1967). Groups that share a window are never joined, so that `maxClusters` may be
 * exceeded. Deterministic; O(n²) memory, O(n²) time but for degenerate distances.
 */
export function clusterVoices(voices: readonly Voice[], options: ClusterOptions): number[][] {
  const { maxDistance, minClusters, maxClusters } = options;
  const table = new DistanceTable(voices);
  for (let count = voices.length; count > minClusters; count--) {
    const nearest = table.nearestPair();
    if (nearest === undefined) break;
    if (nearest.distance > maxDistance && count <= maxClusters) break;
    table.join(nearest.a, nearest.b);
  }
  return table.groups();
}

/** Distances between groups; Infinity for groups that must stay apart. */
class DistanceTable {
  readonly #size: number;
  readonly #distances: Float32Array;
  readonly #weights: Float64Array;
  readonly #members: (number[] | null)[];
  /** Nearest later group of each group, -1 for none. */
  readonly #nearest: Int32Array;

  constructor(voices: readonly Voice[]) {
    this.#size = voices.length;
    this.#distances = new Float32Array(voices.length ** 2);
    this.#weights = Float64Array.from(voices, ({ weight }) => weight);
    this.#members = voices.map((_, index) => [index]);
    this.#nearest = new Int32Array(voices.length);
    for (const [a, first] of voices.entries()) {
      for (let b = a + 1; b < voices.length; b++) {
        const second = voices[b]!;
        const apart = haveCommon(first.windows, second.windows);
        this.#set(a, b, apart ? Infinity : cosineDistance(first.embedding, second.embedding));
      }
    }
    for (let a = 0; a < this.#size; a++) this.#findNearest(a);
  }

  groups(): number[][] {
    return this.#members.filter((members) => members !== null);
  }

  nearestPair(): { a: number; b: number; distance: number } | undefined {
    let best: { a: number; b: number; distance: number } | undefined;
    for (let a = 0; a < this.#size; a++) {
      const b = this.#nearest[a]!;
      if (b < 0 || this.#members[a] === null) continue;
      const distance = this.#get(a, b);
      if (distance < (best?.distance ?? Infinity)) best = { a, b, distance };
    }
    return best;
  }

  /** `b` becomes part of `a`, which comes before it. */
  join(a: number, b: number): void {
    const [first, second] = [this.#weights[a]!, this.#weights[b]!];
    this.#members[a]!.push(...this.#members[b]!);
    this.#members[b] = null;
    for (let other = 0; other < this.#size; other++) {
      if (other === a || this.#members[other] === null) continue;
      const sum = first * this.#get(a, other) + second * this.#get(b, other);
      this.#set(a, other, sum / (first + second));
    }
    this.#weights[a] = first + second;
    this.#findNearest(a);
    for (let other = 0; other < b; other++) {
      if (this.#members[other] === null || other === a) continue;
      const nearest = this.#nearest[other]!;
      if (nearest === a || nearest === b) this.#findNearest(other);
      else if (other < a && this.#get(other, a) < this.#distanceToNearest(other)) {
        this.#nearest[other] = a;
      }
    }
  }

  #distanceToNearest(a: number): number {
    const nearest = this.#nearest[a]!;
    return nearest < 0 ? Infinity : this.#get(a, nearest);
  }

  #findNearest(a: number): void {
    let nearest = -1;
    let distance = Infinity;
    for (let b = a + 1; b < this.#size; b++) {
      if (this.#members[b] === null || this.#get(a, b) >= distance) continue;
      nearest = b;
      distance = this.#get(a, b);
    }
    this.#nearest[a] = nearest;
  }

  #get(a: number, b: number): number {
    return this.#distances[a * this.#size + b]!;
  }

  #set(a: number, b: number, distance: number): void {
    this.#distances[a * this.#size + b] = distance;
    this.#distances[b * this.#size + a] = distance;
  }
}
