import {
  MAX_DISTANCE,
  reluctance,
  type SameSpeakerLimit,
  togetherOf,
  type VoiceSample,
} from './voice-sample.ts';
import { haveCommon } from './windows.ts';

export interface Voice {
  readonly sample: VoiceSample;
  /** Two voices that share a window are two people. */
  readonly windows: ReadonlySet<number>;
}

export interface ClusterOptions {
  readonly limit: SameSpeakerLimit;
  readonly minClusters: number;
  readonly maxClusters: number;
}

/**
 * Groups voices into people: the two groups that are nearest are joined until none may be one person
 * (centroid linkage, with a limit that falls with the amount of speech). Groups that share a window are never joined, so that `maxClusters` may be
 * exceeded. Deterministic; O(n²) memory, O(n²) comparisons but for degenerate distances.
 */
export function clusterVoices(voices: readonly Voice[], options: ClusterOptions): number[][] {
  const { minClusters, maxClusters } = options;
  const table = new ReluctanceTable(voices, options.limit);
  for (let count = voices.length; count > minClusters; count--) {
    const nearest = table.nearestPair();
    if (nearest === undefined) break;
    if (nearest.reluctance > MAX_DISTANCE && count <= maxClusters) break;
    table.join(nearest.a, nearest.b);
  }
  return table.groups();
}

/** Reluctances between groups; Infinity for groups that must stay apart. */
class ReluctanceTable {
  readonly #size: number;
  readonly #reluctances: Float32Array;
  readonly #samples: VoiceSample[];
  readonly #limit: SameSpeakerLimit;
  readonly #members: (number[] | null)[];
  /** Nearest later group of each group, -1 for none. */
  readonly #nearest: Int32Array;

  constructor(voices: readonly Voice[], limit: SameSpeakerLimit) {
    this.#size = voices.length;
    this.#reluctances = new Float32Array(voices.length ** 2);
    this.#samples = voices.map(({ sample }) => sample);
    this.#limit = limit;
    this.#members = voices.map((_, index) => [index]);
    this.#nearest = new Int32Array(voices.length);
    for (const [a, first] of voices.entries()) {
      for (let b = a + 1; b < voices.length; b++) {
        const second = voices[b]!;
        const apart = haveCommon(first.windows, second.windows);
        this.#set(a, b, apart ? Infinity : reluctance(first.sample, second.sample, limit));
      }
    }
    for (let a = 0; a < this.#size; a++) this.#findNearest(a);
  }

  groups(): number[][] {
    return this.#members.filter((members) => members !== null);
  }

  nearestPair(): { a: number; b: number; reluctance: number } | undefined {
    let best: { a: number; b: number; reluctance: number } | undefined;
    for (let a = 0; a < this.#size; a++) {
      const b = this.#nearest[a]!;
      if (b < 0 || this.#members[a] === null) continue;
      const value = this.#get(a, b);
      if (value < (best?.reluctance ?? Infinity)) best = { a, b, reluctance: value };
    }
    return best;
  }

  /** `b` becomes part of `a`, which comes before it. */
  join(a: number, b: number): void {
    this.#samples[a] = togetherOf([this.#samples[a]!, this.#samples[b]!]);
    this.#members[a]!.push(...this.#members[b]!);
    this.#members[b] = null;
    for (let other = 0; other < this.#size; other++) {
      if (other === a || this.#members[other] === null) continue;
      const apart = this.#get(a, other) === Infinity || this.#get(b, other) === Infinity;
      const value = reluctance(this.#samples[a]!, this.#samples[other]!, this.#limit);
      this.#set(a, other, apart ? Infinity : value);
    }
    this.#findNearest(a);
    for (let other = 0; other < b; other++) {
      if (this.#members[other] === null || other === a) continue;
      const nearest = this.#nearest[other]!;
      if (nearest === a || nearest === b) this.#findNearest(other);
      else if (other < a && this.#get(other, a) < this.#reluctanceToNearest(other)) {
        this.#nearest[other] = a;
      }
    }
  }

  #reluctanceToNearest(a: number): number {
    const nearest = this.#nearest[a]!;
    return nearest < 0 ? Infinity : this.#get(a, nearest);
  }

  #findNearest(a: number): void {
    let nearest = -1;
    let least = Infinity;
    for (let b = a + 1; b < this.#size; b++) {
      if (this.#members[b] === null || this.#get(a, b) >= least) continue;
      nearest = b;
      least = this.#get(a, b);
    }
    this.#nearest[a] = nearest;
  }

  #get(a: number, b: number): number {
    return this.#reluctances[a * this.#size + b]!;
  }

  #set(a: number, b: number, value: number): void {
    this.#reluctances[a * this.#size + b] = value;
    this.#reluctances[b * this.#size + a] = value;
  }
}
