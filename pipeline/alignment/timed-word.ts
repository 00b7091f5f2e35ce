/** A word with its place in a window: samples from the window's start. */
export interface TimedWord {
  /** As the recogniser wrote it, with the space before it. */
  readonly text: string;
  readonly start: number;
  readonly end: number;
  /** Mean probability of its tokens, 0–1. */
  readonly confidence: number;
}
