import { setTimeout } from 'node:timers/promises';
import { SttError } from '../../core/errors.ts';
import type {
  Recognition,
  RecognitionRequest,
  Scheduling,
  SpeechRecognizer,
} from '../../pipeline/contracts.ts';
import type { InferenceEngine } from '../engine/engine.ts';
import type { ComputeType } from '../engine/protocol.ts';
import type { SchedulerStats } from '../engine/scheduler-stats.ts';
import { type SchedulerTrouble, WindowScheduler } from '../engine/window-scheduler.ts';
import { readWhisperCheckpoint, type WhisperCheckpoint } from './checkpoint.ts';
import { decodeFeeds } from './decode-feeds.ts';
import { type DecodingKind, decodingKind } from './decoding-kind.ts';
import { type DecodedWindow, recognitions } from './recognitions.ts';
import { fittedText, rowPrompt } from './row-prompt.ts';
import { WhisperTokenizer } from './tokenizer.ts';
import { WINDOW_SAMPLES } from './transcription-graph.ts';

const SESSION = 'whisper';
const BEAM_SESSION = 'whisper-beam';
/** A GPU tunes its kernels per shape, so only these batch sizes ever reach it. */
const CUDA_BATCH_SIZES = [1, 2, 4, 8, 16, 32];
/** After other work of the engine, such as voice activity: its callers submit windows next. */
const JOINING_MS = 5;
/** Digits and what stands beside them; WhisperX's `suppress_numerals` has the ASCII ones. */
const NUMERAL = /[\p{Nd}%$£€¥₩]/u;
const DEFAULT_SCHEDULING: Scheduling = { priority: 'file', tenant: null };

export interface WhisperOptions {
  readonly modelName: string;
  readonly folder: string;
  readonly computeType: ComputeType;
  readonly batchSize: number;
  /** Hears of batches that failed and are tried again. */
  readonly onTrouble?: (trouble: SchedulerTrouble) => void;
}

interface QueuedWindow extends DecodedWindow {
  readonly kind: DecodingKind;
}

/** Whisper behind the pipeline's interface; concurrent requests are decoded in batches. */
export class WhisperRecognizer implements SpeechRecognizer {
  readonly maxWindowSamples = WINDOW_SAMPLES;
  readonly modelName: string;
  readonly languages: readonly string[];
  readonly #engine: InferenceEngine;
  readonly #checkpoint: WhisperCheckpoint;
  readonly #tokenizer: WhisperTokenizer;
  readonly #options: WhisperOptions;
  readonly #scheduler: WindowScheduler<QueuedWindow, Recognition>;

  #beamSession: Promise<string> | undefined;
  #numeralTokens: readonly number[] | undefined;

  private constructor(
    engine: InferenceEngine,
    checkpoint: WhisperCheckpoint,
    tokenizer: WhisperTokenizer,
    options: WhisperOptions,
  ) {
    const { modelName, batchSize, onTrouble } = options;
    this.#options = options;
    this.#engine = engine;
    this.#checkpoint = checkpoint;
    this.#tokenizer = tokenizer;
    this.modelName = modelName;
    this.languages = checkpoint.tokens.languages;
    this.#scheduler = new WindowScheduler({
      batchSize,
      keyOf: ({ kind }) => JSON.stringify(kind),
      run: (windows) => this.#runBatch(windows),
      ready: async () => {
        if (await engine.caughtUp()) await setTimeout(JOINING_MS);
      },
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
    const { language, waveform } = request;
    if (language !== null && !this.languages.includes(language)) {
      throw new SttError('LANGUAGE_UNSUPPORTED', `${this.modelName} does not know ${language}`);
    }
    if (waveform.length > WINDOW_SAMPLES) {
      throw new SttError('INTERNAL', `A window of ${waveform.length} samples is too long`);
    }
    const [given, said] = [request.prompt, request.previousText].map((text) =>
      text?.trim() ? this.#tokenizer.encode(` ${text.trim()}`) : [],
    );
    const { ids, droppedCount } = fittedText(this.#checkpoint, given!, said!);
    const window = {
      request,
      prompt: rowPrompt(this.#checkpoint, request, ids),
      droppedPromptTokens: droppedCount,
      kind: decodingKind(
        this.#asServed(request),
        request.rules?.suppressNumerals === true ? this.#numerals() : [],
      ),
    };
    return await this.#scheduler.submit(window, request.scheduling ?? DEFAULT_SCHEDULING, signal);
  }

  textOf(tokenIds: readonly number[]): string {
    return this.#tokenizer.decode(tokenIds);
  }

  /**
   * Runs every batch size that will be used once, so that no job pays for kernel tuning; a size that
   * the device's memory cannot hold is found out here.
   * @param onSize hears of each size that has run, and how long it took.
   */
  async warmUp(onSize: (windows: number, elapsedMs: number) => void = () => {}): Promise<void> {
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
      const startedAt = performance.now();
      const windows = Array.from({ length: size }, () => this.recognize(request, signal));
      await Promise.all(windows);
      onSize(size, Math.round(performance.now() - startedAt));
    }
  }

  async #runBatch(windows: readonly QueuedWindow[]): Promise<Recognition[]> {
    const { kind } = windows[0]!;
    const feeds = decodeFeeds(
      this.#checkpoint,
      windows.map(({ request }) => request),
      windows.map(({ prompt }) => prompt),
      { windows: this.#rowsFor(windows.length), kind },
    );
    const outputs = await this.#engine.run(await this.#sessionFor(kind), feeds);
    return recognitions(this.#checkpoint, outputs, windows, kind);
  }

  /** A GPU tunes its kernels per shape, and reads padding at next to no cost. */
  #asServed(request: RecognitionRequest): RecognitionRequest {
    return this.#engine.device === 'cpu' ? request : { ...request, shortContext: false };
  }

  #numerals(): readonly number[] {
    this.#numeralTokens ??= this.#tokenizer.idsMatching(NUMERAL);
    return this.#numeralTokens;
  }

  /** Loads the beam search when it is first asked for: most workers never are. */
  async #sessionFor({ search }: DecodingKind): Promise<string> {
    if (search === 'greedy') return SESSION;
    this.#beamSession ??= this.#loadBeamSearch();
    return await this.#beamSession;
  }

  async #loadBeamSearch(): Promise<string> {
    const { folder, computeType, batchSize } = this.#options;
    try {
      const source = { kind: 'whisper', search: 'beam', folder, computeType, batchSize } as const;
      await this.#engine.load(BEAM_SESSION, source);
      return BEAM_SESSION;
    } catch (error) {
      this.#beamSession = undefined;
      throw error;
    }
  }

  #rowsFor(count: number): number {
    if (this.#engine.device === 'cpu') return count;
    return CUDA_BATCH_SIZES.find((size) => size >= count) ?? count;
  }
}
