import type { Breather } from '../breather.ts';
import type { Centroid } from './centroid.ts';

export interface LinkageItem {
  readonly centroid: Centroid;
  /** Two speakers that share a window are two speakers. */
  readonly windows: ReadonlySet<number>;
}

/** What two groups of speakers are to each other, all that is needed to say how far apart they are. */
interface Pair {
  /** Scalar products of the groups' sums, with themselves and with each other. */
  readonly aa: number;
  readonly bb: number;
  readonly ab: number;
  /** Embedding windows of speech of each. */
  readonly countA: number;
  readonly countB: number;
}

/** Group `b` became part of group `a`, each named by its first voice. */
export interface Merge {
  readonly a: number;
  readonly b: number;
}

/** The nearer, the smaller; Infinity for what must not be joined. */
export type Linkage = (pair: Pair) => number;

/**
 * Groups of speakers that can be joined two by two. Scalar products of the sums are all that distances
 * need, and those of a joined group are sums of its parts': only the first table costs the dimensions
 * of a voice. Memory: five bytes for each pair of speakers, 21 MB for 2048.
 */
export class LinkageTable {
  readonly #size: number;
  readonly #products: Float32Array;
  /** 1 for groups that share a window. */
  readonly #cannotLink: Uint8Array;
  readonly #counts: Float64Array;
  /** 0 for a group that became part of another. */
  readonly #isThere: Uint8Array;
  /** Nearest later group of each group, −1 for none, and how near it is. */
  readonly #nearest: Int32Array;
  readonly #least: Float64Array;
  #linkage: Linkage = () => Infinity;

  private constructor(items: readonly LinkageItem[]) {
    this.#size = items.length;
    this.#products = new Float32Array(items.length ** 2);
    this.#cannotLink = new Uint8Array(items.length ** 2);
    this.#counts = Float64Array.from(items, ({ centroid }) => centroid.count);
    this.#isThere = new Uint8Array(items.length).fill(1);
    this.#nearest = new Int32Array(items.length).fill(-1);
    this.#least = new Float64Array(items.length).fill(Infinity);
  }

  static async of(items: readonly LinkageItem[], breather: Breather): Promise<LinkageTable> {
    const table = new LinkageTable(items);
    const byWindow = new Map<number, number[]>();
    for (const [item, { centroid, windows }] of items.entries()) {
      if (breather.isDue) await breather.rest();
      table.#multiply(item, centroid, items);
      for (const window of windows) {
        const others = byWindow.get(window) ?? [];
        for (const other of others) table.#forbidLink(item, other);
        byWindow.set(window, [...others, item]);
      }
    }
    return table;
  }

  /**
   * Joins the nearest two groups, again and again, until what is left is Infinity apart; groups that
   * share a window are. Of equally near ones the earliest. Returns who was joined, in order.
   */
  async mergeNearest(linkage: Linkage, breather: Breather): Promise<Merge[]> {
    const merges: Merge[] = [];
    this.#linkage = linkage;
    for (let a = 0; a < this.#size; a++) {
      if (breather.isDue) await breather.rest();
      if (this.#isThere[a] === 1) this.#findNearest(a);
    }
    for (;;) {
      if (breather.isDue) await breather.rest();
      const a = this.#indexOfNearest();
      if (a < 0) return merges;
      const b = this.#nearest[a]!;
      this.#join(a, b);
      merges.push({ a, b });
    }
  }

  #multiply(item: number, { sum }: Centroid, items: readonly LinkageItem[]): void {
    for (let other = 0; other <= item; other++) {
      const otherSum = items[other]!.centroid.sum;
      let product = 0;
      for (let i = 0; i < sum.length; i++) product += sum[i]! * otherSum[i]!;
      this.#products[item * this.#size + other] = product;
      this.#products[other * this.#size + item] = product;
    }
  }

  #forbidLink(a: number, b: number): void {
    this.#cannotLink[a * this.#size + b] = 1;
    this.#cannotLink[b * this.#size + a] = 1;
  }

  #indexOfNearest(): number {
    let best = -1;
    let least = Infinity;
    for (let a = 0; a < this.#size; a++) {
      if (this.#least[a]! >= least) continue;
      best = a;
      least = this.#least[a]!;
    }
    return best;
  }

  /** `b` becomes part of `a`, which comes before it. */
  #join(a: number, b: number): void {
    const [size, products] = [this.#size, this.#products];
    this.#isThere[b] = 0;
    this.#least[b] = Infinity;
    this.#counts[a]! += this.#counts[b]!;
    const ofBoth = products[a * size + b]!;
    products[a * size + a]! += 2 * ofBoth + products[b * size + b]!;
    for (let other = 0; other < size; other++) {
      if (other === a || this.#isThere[other] === 0) continue;
      products[a * size + other]! += products[b * size + other]!;
      products[other * size + a] = products[a * size + other]!;
      if (this.#cannotLink[b * size + other] === 1) this.#forbidLink(a, other);
    }
    this.#findNearest(a);
    for (let other = 0; other < b; other++) {
      if (this.#isThere[other] === 0 || other === a) continue;
      this.#follow(other, a, b);
    }
  }

  /** Keeps the nearest of `other` true after `b` has become part of `a`. */
  #follow(other: number, a: number, b: number): void {
    const nearest = this.#nearest[other]!;
    const toA = other < a ? this.#valueOf(other, a) : Infinity;
    if (toA < this.#least[other]! || (toA === this.#least[other]! && a < nearest)) {
      this.#nearest[other] = a;
      this.#least[other] = toA;
    } else if (nearest === a || nearest === b) this.#findNearest(other);
  }

  #findNearest(a: number): void {
    let nearest = -1;
    let least = Infinity;
    for (let b = a + 1; b < this.#size; b++) {
      if (this.#isThere[b] === 0) continue;
      const value = this.#valueOf(a, b);
      if (value >= least) continue;
      nearest = b;
      least = value;
    }
    this.#nearest[a] = nearest;
    this.#least[a] = least;
  }

  #valueOf(a: number, b: number): number {
    const [size, products] = [this.#size, this.#products];
    if (this.#cannotLink[a * size + b] === 1) return Infinity;
    return this.#linkage({
      aa: products[a * size + a]!,
      bb: products[b * size + b]!,
      ab: products[a * size + b]!,
      countA: this.#counts[a]!,
      countB: this.#counts[b]!,
    });
  }
}
