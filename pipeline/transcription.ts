import type { SampleRange } from '../audio/time.ts';
import type { Waveform } from '../audio/waveform.ts';
import type { ChunkOptions } from './attempt-window.ts';
import { BusyClock } from './busy-clock.ts';
import type { ChunkLimits, SpeechChunk } from './chunks.ts';
import type {
  SpeechRecognizer,
  Transcript,
  TranscriptWarning,
  VoiceActivityModel,
} from './contracts.ts';
import { findChunks } from './find-chunks.ts';
import { type FoundLanguage, languageDoubts } from './language-doubt.ts';
import { LanguageVotes } from './language-votes.ts';
import { type DetectedLanguage, languageBeforeListening } from './languages.ts';
import type { TranscribeHooks, TranscribeOptions } from './options.ts';
import { PreviousText } from './previous-text.ts';
import { readPieces } from './read-pieces.ts';
import { type ChunkResult, recognizeChunk } from './recognize-chunk.ts';
import type { ChunkFailure } from './retry-chunk.ts';
import { spanOf } from './time-map.ts';
import { TranscriptBuilder } from './transcript-builder.ts';

interface Models {
  readonly recognizer: SpeechRecognizer;
  readonly voiceActivity: VoiceActivityModel;
}

export interface TranscriptionOptions extends TranscribeOptions, ChunkLimits {
  /** Chunks are released so many at a time. */
  readonly chunksAtOnce: number;
  /** So many are listened to for the language at the same time. */
  readonly listenAtOnce: number;
}

/** A chunk with its number in the recording, and what it said before the language was known. */
interface HeardChunk {
  readonly chunk: SpeechChunk;
  readonly index: number;
  readonly result: ChunkResult;
}

/** One recording on its way to a transcript: what is known of it so far. */
export class Transcription {
  readonly #waveform: Waveform;
  readonly #options: TranscriptionOptions;
  readonly #models: Models;
  readonly #hooks: TranscribeHooks;
  readonly #builder: TranscriptBuilder;
  readonly #clock = new BusyClock();
  #previousText = new PreviousText();
  readonly #votes = new LanguageVotes();
  readonly #heard: HeardChunk[] = [];
  #language: DetectedLanguage | null;
  #startedChunks = 0;

  /** @throws {SttError} LANGUAGE_UNSUPPORTED */
  constructor(
    waveform: Waveform,
    models: Models,
    hooks: TranscribeHooks,
    options: TranscriptionOptions,
  ) {
    this.#waveform = waveform;
    this.#options = options;
    this.#models = models;
    this.#hooks = hooks;
    this.#builder = new TranscriptBuilder(waveform.sampleCount, hooks);
    this.#language = languageBeforeListening(options, models.recognizer);
  }

  /**
   * The chunks of the recording but for those that had to be recognised to learn the language.
   * Where voice activity and recognition share a thread they come a batch at a time: the engine would
   * otherwise start a batch with the one or two chunks of each piece of the recording.
   */
  async *chunksWithKnownLanguage(signal: AbortSignal): AsyncGenerator<SpeechChunk> {
    let batch: SpeechChunk[] = [];
    let unknown: SpeechChunk[] = [];
    const { chunksAtOnce, listenAtOnce, multilingual } = this.#options;
    for await (const chunk of this.#chunks(signal)) {
      if (!this.#language && !multilingual) {
        unknown.push(chunk);
        if (unknown.length < listenAtOnce) continue;
        await this.#listenForLanguage(unknown, signal);
        unknown = [];
        continue;
      }
      batch.push(chunk);
      if (batch.length < chunksAtOnce) continue;
      yield* batch;
      batch = [];
    }
    await this.#listenForLanguage(unknown, signal);
    yield* batch;
    await this.#settleLanguage(signal);
  }

  #chunks(signal: AbortSignal): AsyncGenerator<SpeechChunk> {
    const options = {
      ...this.#options,
      hooks: this.#hooks,
      onUnheard: (range: SampleRange) => this.#builder.addUnheard(range),
    };
    return findChunks(this.#waveform, this.#models.voiceActivity, options, signal);
  }

  /** Chunks must be started in time order; they may finish in any. */
  async recognize(chunk: SpeechChunk, signal: AbortSignal): Promise<void> {
    const index = this.#startedChunks++;
    this.#add(chunk, index, await this.#recognizeChunk(chunk, signal));
  }

  /** One decode each, whatever it is worth: what fails the quality checks has its fallback later. */
  async #listenForLanguage(chunks: readonly SpeechChunk[], signal: AbortSignal): Promise<void> {
    const first = this.#startedChunks;
    this.#startedChunks += chunks.length;
    const results = await Promise.all(
      chunks.map((chunk) => this.#recognizeChunk(chunk, signal, 'first')),
    );
    for (const [at, result] of results.entries()) {
      const [chunk, index] = [chunks[at]!, first + at];
      if ('error' in result || result.isSilent) {
        this.#add(chunk, index, result);
        continue;
      }
      if (!this.#isLanguageDecided) this.#votes.add(result);
      this.#heard.push({ chunk, index, result });
    }
    if (this.#isLanguageDecided) await this.#settleLanguage(signal);
  }

  get #isLanguageDecided(): boolean {
    return this.#votes.isDecided(this.#options.languageDetectionChunks);
  }

  /** What was heard in another language than the recording's, or badly, is recognised again. */
  async #settleLanguage(signal: AbortSignal): Promise<void> {
    if (this.#heard.length === 0) return;
    this.#language = this.#votes.winner();
    this.#previousText = new PreviousText(); // It may be in the wrong language.
    await Promise.all(
      this.#heard.splice(0).map(async ({ chunk, index, result }) => {
        const isSameLanguage = result.language === this.#language?.language;
        const isRight = isSameLanguage && !result.isUnfinished;
        // Of several windows only one may be doubtful: the others keep their greedy text.
        const hasFirst = isSameLanguage && result.windowCount === 1;
        if (isRight) this.#previousText.add(result);
        this.#add(
          chunk,
          index,
          isRight
            ? result
            : await this.#recognizeAgain(chunk, result, hasFirst ? 'others' : undefined, signal),
        );
      }),
    );
  }

  async #recognizeAgain(
    chunk: SpeechChunk,
    { attemptCount }: ChunkResult,
    attempts: ChunkOptions['attempts'],
    signal: AbortSignal,
  ): Promise<ChunkResult | ChunkFailure> {
    const result = await this.#recognizeChunk(chunk, signal, attempts);
    return 'error' in result
      ? result
      : { ...result, attemptCount: result.attemptCount + attemptCount };
  }

  async #recognizeChunk(
    { pieces, regions }: SpeechChunk,
    signal: AbortSignal,
    attempts?: ChunkOptions['attempts'],
  ): Promise<ChunkResult | ChunkFailure> {
    const options = {
      ...this.#options,
      attempts,
      language: this.#language?.language ?? null,
      previousText: this.#options.conditionOnPreviousText ? this.#previousText.text : '',
    };
    const chunk = { pieces, regions, waveform: await readPieces(this.#waveform, pieces) };
    const result = await this.#clock.time(
      recognizeChunk(chunk, options, this.#models.recognizer, signal),
    );
    signal.throwIfAborted(); // nothing is handed on any more, even if the model missed the abort
    this.#previousText.add(result);
    return result;
  }

  #add({ pieces }: SpeechChunk, index: number, result: ChunkResult | ChunkFailure): void {
    this.#builder.add(index, { ...result, range: spanOf(pieces) });
  }

  /** @throws what the recogniser threw, if it failed for every chunk. */
  finish(): Transcript {
    this.#builder.throwIfAllFailed();
    const { segments, warnings, languageVotes, ...counts } = this.#builder;
    const { attemptCount, chunkCount, windowCount } = counts;
    this.#hooks.onStage?.('recognize', this.#clock.busyMs, {
      chunkCount,
      windowCount,
      attemptCount,
    });
    this.#hooks.onProgress?.(1);
    const language = this.#language ?? languageVotes.winner();
    return {
      segments,
      ...language,
      audioSamples: this.#waveform.sampleCount,
      modelName: this.#models.recognizer.modelName,
      alignment: this.#options.wordTimes ? 'attention' : null,
      warnings: [...warnings, ...this.#doubts({ ...language, segments })],
    };
  }

  /** A language that was given, or that changes by the window, needs no certainty. */
  #doubts(found: FoundLanguage): TranscriptWarning[] {
    const { language, multilingual } = this.#options;
    const changes = multilingual && found.languageProbability > 0;
    return language !== null || changes ? [] : languageDoubts(found);
  }
}
