import { SAMPLE_RATE_HZ } from '../../audio/time.ts';
import { SttError } from '../../core/errors.ts';
import type {
  Recognition,
  RecognitionRequest,
  RecognizedToken,
  Scheduling,
  SpeechRecognizer,
  TokenAttention,
} from '../../pipeline/contracts.ts';
import type { InferenceEngine } from '../engine/engine.ts';
import type { ComputeType, TensorMap } from '../engine/protocol.ts';
import type { SchedulerStats } from '../engine/scheduler-stats.ts';
import { type SchedulerTrouble, WindowScheduler } from '../engine/window-scheduler.ts';
import { readWhisperCheckpoint, type WhisperCheckpoint } from './checkpoint.ts';
import { decodeFeeds, type RowPrompt, rowPrompt } from './decode-feeds.ts';
import { type DecodedRow, decodedRows } from './decoded-rows.ts';
import { WhisperTokenizer } from './tokenizer.ts';
import { WINDOW_SAMPLES } from './transcription-graph.ts';

const SESSION = 'whisper';
/** Timestamp tokens count in steps of 20 ms. */
const SAMPLES_PER_TIMESTAMP = SAMPLE_RATE_HZ / 50;
/** A GPU tunes its kernels per shape, so only these batch sizes ever reach it. */
const CUDA_BATCH_SIZES = [1, 2, 4, 8, 16, 32];
const DEFAULT_SCHEDULING: Scheduling = { priority: 'file', tenant: null };

export interface WhisperOptions {
  readonly modelName: string;
  readonly folder: string;
  readonly computeType: ComputeType;
  readonly batchSize: number;
  /** Hears of batches that failed and are tried again. */
  readonly onTrouble?: (trouble: SchedulerTrouble) => void;
}

interface QueuedWindow {
  readonly request: RecognitionRequest;
  readonly prompt: RowPrompt;
}

/** Whisper behind the pipeline's interface; concurrent requests are decoded in batches. */
export class WhisperRecognizer implements SpeechRecognizer {
  readonly maxWindowSamples = WINDOW_SAMPLES;
  readonly modelName: string;
  readonly languages: readonly string[];
  readonly #engine: InferenceEngine;
  readonly #checkpoint: WhisperCheckpoint;
  readonly #tokenizer: WhisperTokenizer;
  readonly #scheduler: WindowScheduler<QueuedWindow, Recognition>;

  private constructor(
    engine: InferenceEngine,
    checkpoint: WhisperCheckpoint,
    tokenizer: WhisperTokenizer,
    { modelName, batchSize, onTrouble }: WhisperOptions,
  ) {
    this.#engine = engine;
    this.#checkpoint = checkpoint;
    this.#tokenizer = tokenizer;
    this.modelName = modelName;
    this.languages = checkpoint.tokens.languages;
    this.#scheduler = new WindowScheduler({
      batchSize,
      keyOf: ({ prompt }) => `${prompt.prompt.length}/${prompt.task.length}`,
      run: (windows) => this.#runBatch(windows),
      onTrouble,
    });
  }

  /** Loads the network into the engine. @throws {SttError} MODEL_*, DEVICE_UNAVAILABLE. */
  static async load(engine: InferenceEngine, options: WhisperOptions): Promise<WhisperRecognizer> {
    const { folder, computeType, batchSize } = options;
    const [checkpoint, tokenizer] = await Promise.all([
      readWhisperCheckpoint(folder),
      WhisperTokenizer.load(folder),
      engine.load(SESSION, { kind: 'whisper', folder, computeType, batchSize }),
    ]);
    return new WhisperRecognizer(engine, checkpoint, tokenizer, options);
  }

  /** As configured, or less once the device's memory has run out. */
  get batchSize(): number {
    return this.#scheduler.batchSize;
  }

  /** Windows that wait for a batch. */
  get queueLength(): number {
    return this.#scheduler.queueLength;
  }

  stats(): SchedulerStats {
    return this.#scheduler.stats();
  }

  async recognize(request: RecognitionRequest, signal: AbortSignal): Promise<Recognition> {
    const { language, waveform, prompt } = request;
    if (language !== null && !this.languages.includes(language)) {
      throw new SttError('LANGUAGE_UNSUPPORTED', `${this.modelName} does not know ${language}`);
    }
    if (waveform.length > WINDOW_SAMPLES) {
      throw new SttError('INTERNAL', `A window of ${waveform.length} samples is too long`);
    }
    const previous = prompt === null ? [] : this.#tokenizer.encode(` ${prompt.trim()}`);
    const window = { request, prompt: rowPrompt(this.#checkpoint, request, previous) };
    return await this.#scheduler.submit(window, request.scheduling ?? DEFAULT_SCHEDULING, signal);
  }

  textOf(tokenIds: readonly number[]): string {
    return this.#tokenizer.decode(tokenIds);
  }

  /**
   * Runs every batch size that will be used once, so that no job pays for kernel tuning; a size that
   * the device's memory cannot hold is found out here.
   */
  async warmUp(): Promise<void> {
    const smaller = CUDA_BATCH_SIZES.filter((size) => size < this.batchSize);
    const sizes = this.#engine.device === 'cuda' ? [...smaller, this.batchSize] : [1];
    const request: RecognitionRequest = {
      waveform: new Float32Array(WINDOW_SAMPLES),
      task: 'transcribe',
      language: null,
      timestamps: true,
      temperature: 0,
      prompt: null,
    };
    const { signal } = new AbortController();
    for (const size of sizes) {
      if (size > this.batchSize) return;
      const windows = Array.from({ length: size }, () => this.recognize(request, signal));
      await Promise.all(windows);
    }
  }

  async #runBatch(windows: readonly QueuedWindow[]): Promise<Recognition[]> {
    const feeds = decodeFeeds(
      this.#checkpoint,
      windows.map(({ request }) => request),
      windows.map(({ prompt }) => prompt),
      this.#rowsFor(windows.length),
    );
    const outputs = await this.#engine.run(SESSION, feeds);
    const rows = decodedRows(outputs, this.#checkpoint.tokens.endOfText);
    return windows.map(({ request }, row) => this.#recognition(outputs, row, rows[row]!, request));
  }

  #rowsFor(count: number): number {
    if (this.#engine.device === 'cpu') return count;
    return CUDA_BATCH_SIZES.find((size) => size >= count) ?? count;
  }

  #recognition(outputs: TensorMap, row: number, decoded: DecodedRow, request: RecognitionRequest) {
    const { ids, logProbs, sumLogProb } = decoded;
    return {
      tokens: ids.map((id, index) => this.#token(id, logProbs[index]!)),
      avgLogProb: sumLogProb / (ids.length + 1),
      noSpeechProb: Number(outputs['no_speech_prob']!.data[row]),
      ...this.#languageOf(outputs, row, request.language),
      ...(request.attention === true && {
        attention: this.#attention(outputs, row, decoded, request),
      }),
    };
  }

  /** The row's own part of `attention_weights`, see `attentionGraph`. */
  #attention(
    outputs: TensorMap,
    row: number,
    { ids }: DecodedRow,
    { waveform }: RecognitionRequest,
  ): TokenAttention {
    const { data, dims } = outputs['attention_weights']!;
    const [, rowCount = 0, width = 0] = dims;
    const textCount = ids.filter((id) => id < this.#checkpoint.tokens.endOfText).length;
    const frames = Math.min(Math.floor(waveform.length / SAMPLES_PER_TIMESTAMP), width);
    const weights = new Float32Array((textCount + 1) * frames);
    for (let token = 0; token <= textCount; token++) {
      const start = (row * rowCount + token) * width;
      weights.set((data as Float32Array).subarray(start, start + frames), token * frames);
    }
    return { weights, frames, samplesPerFrame: SAMPLES_PER_TIMESTAMP };
  }

  #token(id: number, logProb: number): RecognizedToken {
    const { timestampsStart } = this.#checkpoint.tokens;
    if (id < timestampsStart) return { kind: 'text', id, logProb };
    const offsetSamples = (id - timestampsStart) * SAMPLES_PER_TIMESTAMP;
    return { kind: 'timestamp', offsetSamples, logProb };
  }

  #languageOf(outputs: TensorMap, row: number, asked: string | null) {
    const probabilities = outputs['language_probs'];
    if (asked !== null || probabilities === undefined) {
      return { language: asked ?? this.languages[0]!, languageProbability: 1 };
    }
    const count = this.languages.length;
    let best = 0;
    for (let language = 1; language < count; language++) {
      const isBetter =
        probabilities.data[row * count + language]! > probabilities.data[row * count + best]!;
      if (isBetter) best = language;
    }
    return {
      language: this.languages[best]!,
      languageProbability: Number(probabilities.data[row * count + best]),
    };
  }
}
