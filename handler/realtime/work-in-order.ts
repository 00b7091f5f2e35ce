interface WorkRules {
  /** What is left then is not done. */
  isOver(): boolean;
  /** Something begins, and so much waits behind it. */
  onTurn(waiting: number): void;
  onError(thrown: unknown): void;
}

/** Does one thing after the other, though some take time; a failure does not keep the next one. */
export class WorkInOrder {
  readonly #rules: WorkRules;
  #last: Promise<void> = Promise.resolve();
  #waiting = 0;

  constructor(rules: WorkRules) {
    this.#rules = rules;
  }

  get waiting(): number {
    return this.#waiting;
  }

  add(work: () => Promise<void> | void): void {
    this.#waiting += 1;
    this.#last = this.#last.then(async () => {
      this.#waiting -= 1;
      this.#rules.onTurn(this.#waiting);
      if (this.#rules.isOver()) return;
      try {
        await work();
      } catch (thrown) {
        this.#rules.onError(thrown);
      }
    });
  }
}
