import type { SampleRange } from '../audio/time.ts';
import type { Segment, TranscriptWarning } from './contracts.ts';
import { hallucinationWarnings, NOTHING_GUARDED, sumCounts } from './hallucinations.ts';
import { LanguageVotes } from './language-votes.ts';
import type { TranscribeHooks } from './options.ts';
import type { ChunkResult } from './recognize-chunk.ts';
import type { ChunkFailure } from './retry-chunk.ts';

/** What became of a chunk, and where it lies. */
export type PlacedResult = (ChunkResult | ChunkFailure) & { readonly range: SampleRange };

/**
 * Takes results of chunks in any order and hands them on in the order of the recording:
 * segments and progress through the hooks, and everything together in the end.
 */
export class TranscriptBuilder {
  readonly segments: Segment[] = [];
  /** What the chunks with speech say. */
  readonly languageVotes = new LanguageVotes();
  /** Decodings of all chunks; more than there are chunks when some needed fallback. */
  attemptCount = 0;
  /** Beams and samples of these decodings together. */
  rowCount = 0;
  chunkCount = 0;
  /** Windows that the chunks were read in; more than chunks where a text ended before the speech. */
  windowCount = 0;
  readonly #audioSamples: number;
  readonly #hooks: TranscribeHooks;
  readonly #waiting = new Map<number, PlacedResult>();
  readonly #missing: SampleRange[] = [];
  readonly #unheard: SampleRange[] = [];
  #guarded = NOTHING_GUARDED;
  #droppedPromptTokens = 0;
  #failureCount = 0;
  #firstError: unknown;

  constructor(audioSamples: number, hooks: TranscribeHooks) {
    this.#audioSamples = audioSamples;
    this.#hooks = hooks;
  }

  get warnings(): readonly TranscriptWarning[] {
    return [
      ...promptWarnings(this.#droppedPromptTokens),
      ...hallucinationWarnings(this.#guarded),
      ...failureWarnings(this.#missing),
      ...unheardWarnings(this.#unheard),
    ];
  }

  /** A part in which speech could not be looked for. */
  addUnheard(range: SampleRange): void {
    this.#unheard.push(range);
  }

  /** `index` counts the chunks of the recording from 0. */
  add(index: number, result: PlacedResult): void {
    this.#waiting.set(index, result);
    for (;;) {
      const next = this.#waiting.get(this.chunkCount);
      if (!next) return;
      this.#waiting.delete(this.chunkCount);
      this.chunkCount += 1;
      if ('error' in next) this.#appendFailure(next);
      else this.#append(next);
      this.#hooks.onProgress?.(next.range.end / this.#audioSamples);
    }
  }

  /** Throws the first failure when nothing but failures came in. */
  throwIfAllFailed(): void {
    if (this.chunkCount > 0 && this.#failureCount === this.chunkCount) throw this.#firstError;
  }

  #append(result: ChunkResult): void {
    const { segments, missing, droppedPromptTokens } = result;
    this.attemptCount += result.attemptCount;
    this.rowCount += result.rowCount;
    this.windowCount += result.windowCount;
    this.#guarded = sumCounts(this.#guarded, result.guarded);
    this.#droppedPromptTokens = Math.max(this.#droppedPromptTokens, droppedPromptTokens);
    if (missing !== null) this.#missing.push(missing);
    if (!result.isSilent) this.languageVotes.add(result);
    this.segments.push(...segments);
    if (segments.length > 0) this.#hooks.onSegments?.(segments);
  }

  #appendFailure({ error, range }: ChunkFailure & { readonly range: SampleRange }): void {
    if (this.#failureCount === 0) this.#firstError = error;
    this.#failureCount += 1;
    this.#missing.push(range);
  }
}

/** The same for every window: told once. */
function promptWarnings(droppedTokens: number): TranscriptWarning[] {
  if (droppedTokens === 0) return [];
  const tokens = droppedTokens === 1 ? '1 token' : `${droppedTokens} tokens`;
  const message = `Prompt and keywords are longer than the model takes: the first ${tokens} of them were left out`;
  return [{ code: 'PROMPT_CUT', message, count: droppedTokens }];
}

function failureWarnings(ranges: readonly SampleRange[]): TranscriptWarning[] {
  if (ranges.length === 0) return [];
  const message = `${partsOf(ranges)} of the recording could not be recognised: its text is missing`;
  return [{ code: 'CHUNK_FAILED', message, count: ranges.length, ranges }];
}

function unheardWarnings(ranges: readonly SampleRange[]): TranscriptWarning[] {
  if (ranges.length === 0) return [];
  const message = `${partsOf(ranges)} of the recording could not be searched for speech: taken for speech`;
  return [{ code: 'VOICE_ACTIVITY_FAILED', message, count: ranges.length, ranges }];
}

const partsOf = ({ length }: readonly SampleRange[]): string =>
  length === 1 ? '1 part' : `${length} parts`;
