import type { FrameRange } from './frame-runs.ts';

/** What comes in order and reaches into one block after the other. */
export class BlockQueue<Item> {
  readonly #items: readonly { readonly item: Item; readonly range: FrameRange }[];
  #first = 0;

  constructor(items: readonly Item[], rangeOf: (item: Item) => FrameRange) {
    const placed = items.map((item) => ({ item, range: rangeOf(item) }));
    this.#items = placed.sort((a, b) => a.range.start - b.range.start);
  }

  /** Those that reach into the block; blocks must come in order. */
  *in(block: FrameRange): Generator<{ readonly item: Item; readonly range: FrameRange }> {
    for (let index = this.#first; index < this.#items.length; index++) {
      const { item, range: whole } = this.#items[index]!;
      const { start, end } = whole;
      if (start >= block.end) return;
      if (end <= block.start && index === this.#first) this.#first += 1;
      const range = { start: Math.max(start, block.start), end: Math.min(end, block.end) };
      if (range.end > range.start) yield { item, range };
    }
  }
}
