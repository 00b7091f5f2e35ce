import { secToSamples } from '../audio/time.ts';
import type { Waveform } from '../audio/waveform.ts';
import { runConcurrently } from './bounded-concurrency.ts';
import { BusyClock } from './busy-clock.ts';
import type { SpeechChunk } from './chunks.ts';
import type { SpeechRecognizer, Transcript, VoiceActivityModel } from './contracts.ts';
import { findChunks } from './find-chunks.ts';
import {
  type DetectedLanguage,
  languageBeforeListening,
  UNDETERMINED_LANGUAGE,
} from './languages.ts';
import type { TranscribeHooks, TranscribeOptions } from './options.ts';
import { readPieces } from './read-pieces.ts';
import { type ChunkResult, recognizeChunk } from './recognize-chunk.ts';
import { spanOf } from './time-map.ts';
import { TranscriptBuilder } from './transcript-builder.ts';

export interface TranscribeModels {
  readonly recognizer: SpeechRecognizer;
  readonly voiceActivity: VoiceActivityModel;
}

/** A full batch in work and another one waiting, so that the engine never idles. */
const BATCHES_IN_FLIGHT = 2;

/**
 * The transcript of a recording of any length: speech is found, cut into chunks and recognised
 * while the rest is still being read. Settles only when nothing of it is running any more.
 *
 * With `language: null` chunks are recognised one by one until one holds speech; its language is
 * taken for the rest. A recording without speech has the language that was certain before, else
 * `und` with probability 0.
 *
 * @throws {SttError} LANGUAGE_UNSUPPORTED before anything is read; whatever a model or the waveform
 * throws; the reason of `signal` when it aborts.
 */
// biome-ignore lint/complexity/useMaxParams: what, how, with which models, who watches, until when
export async function transcribe(
  waveform: Waveform,
  options: TranscribeOptions,
  models: TranscribeModels,
  hooks: TranscribeHooks,
  signal: AbortSignal,
): Promise<Transcript> {
  const transcription = new Transcription(waveform, options, models, hooks);
  const { batchSize } = models.recognizer;
  await runConcurrently(
    (stop) => transcription.chunksWithKnownLanguage(stop),
    {
      limit: BATCHES_IN_FLIGHT * batchSize,
      work: async (chunk, stop) => {
        await transcription.recognize(chunk, stop);
      },
    },
    signal,
  );
  return transcription.finish();
}

class Transcription {
  readonly #waveform: Waveform;
  readonly #options: TranscribeOptions;
  readonly #models: TranscribeModels;
  readonly #hooks: TranscribeHooks;
  readonly #builder: TranscriptBuilder;
  readonly #clock = new BusyClock();
  #language: DetectedLanguage | null;
  #startedChunks = 0;

  constructor(
    waveform: Waveform,
    options: TranscribeOptions,
    models: TranscribeModels,
    hooks: TranscribeHooks,
  ) {
    this.#waveform = waveform;
    this.#options = options;
    this.#models = models;
    this.#hooks = hooks;
    this.#builder = new TranscriptBuilder(waveform.sampleCount, options.noSpeechThreshold, hooks);
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
    for await (const chunk of this.#findChunks(signal)) {
      if (!this.#language) {
        await this.#detectLanguage(chunk, signal);
        continue;
      }
      batch.push(chunk);
      if (batch.length < this.#models.recognizer.batchSize) continue;
      yield* batch;
      batch = [];
    }
    yield* batch;
  }

  #findChunks(signal: AbortSignal): AsyncGenerator<SpeechChunk> {
    const { recognizer, voiceActivity } = this.#models;
    const { maxChunkSec, maxPauseSec, vad } = this.#options;
    const maxChunkSamples = Math.min(secToSamples(maxChunkSec), recognizer.maxWindowSamples);
    const maxPauseSamples = secToSamples(maxPauseSec);
    const options = { vad, maxChunkSamples, maxPauseSamples, hooks: this.#hooks };
    return findChunks(this.#waveform, voiceActivity, options, signal);
  }

  async #detectLanguage(chunk: SpeechChunk, signal: AbortSignal): Promise<void> {
    const result = await this.recognize(chunk, signal);
    const { language, languageProbability, isSilent } = result;
    if (!isSilent) this.#language = { language, languageProbability };
  }

  /** Chunks must be started in time order; they may finish in any. */
  async recognize(chunk: SpeechChunk, signal: AbortSignal): Promise<ChunkResult> {
    const index = this.#startedChunks++;
    const language = this.#language?.language ?? null;
    const audio = {
      pieces: chunk.pieces,
      waveform: await readPieces(this.#waveform, chunk.pieces),
    };
    const { recognizer } = this.#models;
    const result = await this.#clock.time(
      recognizeChunk(audio, { ...this.#options, language }, recognizer, signal),
    );
    signal.throwIfAborted(); // nothing is handed on any more, even if the model missed the abort
    this.#builder.add(index, { ...result, range: spanOf(chunk.pieces) });
    return result;
  }

  finish(): Transcript {
    const { attemptCount, chunkCount, segments, warnings } = this.#builder;
    this.#hooks.onStage?.('recognize', this.#clock.busyMs, { chunkCount, attemptCount });
    this.#hooks.onProgress?.(1);
    return {
      segments,
      language: this.#language?.language ?? UNDETERMINED_LANGUAGE,
      languageProbability: this.#language?.languageProbability ?? 0,
      audioSamples: this.#waveform.sampleCount,
      modelName: this.#models.recognizer.modelName,
      alignment: this.#options.wordTimes ? 'attention' : null,
      warnings,
    };
  }
}
