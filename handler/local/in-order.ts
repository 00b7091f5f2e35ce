export interface OrderedWork<Item, Result> {
  /** How many items are worked on at a time at most. */
  readonly limit: number;
  /** Must not throw. */
  readonly work: (item: Item) => Promise<Result>;
  /** Called one at a time in the items' order, as early as possible; must not throw. */
  readonly deliver: (result: Result, index: number) => Promise<void>;
}

/** Works on items side by side and delivers their results in order. */
export async function runInOrder<Item, Result>(
  items: readonly Item[],
  { limit, work, deliver }: OrderedWork<Item, Result>,
): Promise<void> {
  const waiting = new Map<number, Result>();
  let nextIndex = 0;
  let deliveryIndex = 0;
  let delivery = Promise.resolve();
  const deliverReady = (): void => {
    for (; waiting.has(deliveryIndex); deliveryIndex++) {
      const index = deliveryIndex;
      const result = waiting.get(index)!;
      waiting.delete(index);
      delivery = delivery.then(() => deliver(result, index));
    }
  };
  const workThrough = async (): Promise<void> => {
    while (nextIndex < items.length) {
      const index = nextIndex++;
      waiting.set(index, await work(items[index]!));
      deliverReady();
    }
  };
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, workThrough));
  await delivery;
}
