import type { SampleRange } from '../audio/time.ts';
import type { Segment, TranscriptWarning } from './contracts.ts';
import { dropSilencePhrases, hallucinationWarnings } from './hallucinations.ts';
import type { TranscribeHooks } from './options.ts';
import type { ChunkResult } from './recognize-chunk.ts';

interface PlacedResult extends ChunkResult {
  /** Of the chunk. */
  readonly range: SampleRange;
}

/**
 * Takes results of chunks in any order and hands them on in the order of the recording:
 * segments and progress through the hooks, and everything together in the end.
 */
export class TranscriptBuilder {
  readonly segments: Segment[] = [];
  /** Decodings of all chunks; more than there are chunks when some needed fallback. */
  attemptCount = 0;
  chunkCount = 0;
  readonly #audioSamples: number;
  readonly #noSpeechThreshold: number;
  readonly #hooks: TranscribeHooks;
  readonly #waiting = new Map<number, PlacedResult>();
  #droppedCount = 0;

  constructor(audioSamples: number, noSpeechThreshold: number, hooks: TranscribeHooks) {
    this.#audioSamples = audioSamples;
    this.#noSpeechThreshold = noSpeechThreshold;
    this.#hooks = hooks;
  }

  get warnings(): readonly TranscriptWarning[] {
    return hallucinationWarnings(this.#droppedCount);
  }

  /** `index` counts the chunks of the recording from 0. */
  add(index: number, result: PlacedResult): void {
    this.#waiting.set(index, result);
    for (;;) {
      const next = this.#waiting.get(this.chunkCount);
      if (!next) return;
      this.#waiting.delete(this.chunkCount);
      this.#append(next);
    }
  }

  #append({ segments, attemptCount, range }: PlacedResult): void {
    const { kept, droppedCount } = dropSilencePhrases(segments, this.#noSpeechThreshold);
    this.chunkCount += 1;
    this.attemptCount += attemptCount;
    this.#droppedCount += droppedCount;
    this.segments.push(...kept);
    if (kept.length > 0) this.#hooks.onSegments?.(kept);
    this.#hooks.onProgress?.(range.end / this.#audioSamples);
  }
}
