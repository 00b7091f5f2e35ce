import type { Waveform } from '../audio/waveform.ts';
import { BusyClock } from './busy-clock.ts';
import type { ChunkLimits, SpeechChunk } from './chunks.ts';
import type { SpeechRecognizer, Transcript, VoiceActivityModel } from './contracts.ts';
import { findChunks } from './find-chunks.ts';
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
    const language = languageBeforeListening(options, models.recognizer);
    this.#language = language === null ? null : { language, languageProbability: 1 };
  }

  /**
   * The chunks of the recording but for those that had to be recognised to learn the language.
   * They come a batch at a time: where voice activity and recognition share a thread, the engine
   * would otherwise start a batch with the one or two chunks of each piece of the recording.
   */
  async *chunksWithKnownLanguage(signal: AbortSignal): AsyncGenerator<SpeechChunk> {
    let batch: SpeechChunk[] = [];
    const { chunksAtOnce, multilingual } = this.#options;
    const chunks = findChunks(
      this.#waveform,
      this.#models.voiceActivity,
      { ...this.#options, hooks: this.#hooks },
      signal,
    );
    for await (const chunk of chunks) {
      if (!this.#language && !multilingual) {
        await this.#listenForLanguage(chunk, signal);
        continue;
      }
      batch.push(chunk);
      if (batch.length < chunksAtOnce) continue;
      yield* batch;
      batch = [];
    }
    yield* batch;
    await this.#settleLanguage(signal);
  }

  /** Chunks must be started in time order; they may finish in any. */
  async recognize(chunk: SpeechChunk, signal: AbortSignal): Promise<void> {
    const index = this.#startedChunks++;
    this.#add(chunk, index, await this.#recognizeChunk(chunk, signal));
  }

  async #listenForLanguage(chunk: SpeechChunk, signal: AbortSignal): Promise<void> {
    const index = this.#startedChunks++;
    const result = await this.#recognizeChunk(chunk, signal);
    if ('error' in result || result.isSilent) {
      this.#add(chunk, index, result);
      return;
    }
    this.#votes.add(result);
    this.#heard.push({ chunk, index, result });
    if (this.#votes.isDecided(this.#options.languageDetectionChunks)) {
      await this.#settleLanguage(signal);
    }
  }

  /** Chunks that took another language than the one of the recording are recognised again in it. */
  async #settleLanguage(signal: AbortSignal): Promise<void> {
    if (this.#heard.length === 0) return;
    this.#language = this.#votes.winner();
    this.#previousText = new PreviousText(); // It may be in the wrong language.
    for (const { chunk, index, result } of this.#heard.splice(0)) {
      const isRight = result.language === this.#language.language;
      if (isRight) this.#previousText.add(result);
      this.#add(chunk, index, isRight ? result : await this.#recognizeChunk(chunk, signal));
    }
  }

  async #recognizeChunk(
    { pieces, regions }: SpeechChunk,
    signal: AbortSignal,
  ): Promise<ChunkResult | ChunkFailure> {
    const options = {
      ...this.#options,
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
    return {
      segments,
      ...(this.#language ?? languageVotes.winner()),
      audioSamples: this.#waveform.sampleCount,
      modelName: this.#models.recognizer.modelName,
      alignment: this.#options.wordTimes ? 'attention' : null,
      warnings,
    };
  }
}
