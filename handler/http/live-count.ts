/** Whoever holds live sessions. */
export interface LiveSource {
  readonly count: number;
  countOf(tenant: string | null): number;
}

/** How many live sessions there are; none until their holder is attached. */
export class LiveCount implements LiveSource {
  #source: LiveSource | undefined;

  attach(source: LiveSource): void {
    this.#source = source;
  }

  get count(): number {
    return this.#source?.count ?? 0;
  }

  countOf(tenant: string | null): number {
    return this.#source?.countOf(tenant) ?? 0;
  }
}
