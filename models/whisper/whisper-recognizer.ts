import { setTimeout } from 'node:timers/promises';
import { SttError } from '../../core/errors.ts';
import type {
  DecodingRules,
  Priority,
  Recognition,
  RecognitionRequest,
  Scheduling,
  SpeechRecognizer,
} from '../../pipeline/contracts.ts';
import type { EngineTurn, InferenceEngine } from '../engine/engine.ts';
import type { ComputeType } from '../engine/protocol.ts';
import { SchedulerMeter, type SchedulerStats } from '../engine/scheduler-stats.ts';
import { type SchedulerTrouble, WindowScheduler } from '../engine/window-scheduler.ts';
import { BeamSession } from './beam-session.ts';
import { readWhisperCheckpoint, type WhisperCheckpoint } from './checkpoint.ts';
import { decodeFeeds } from './decode-feeds.ts';
import { type DecodingKind, decodingKind } from './decoding-kind.ts';
import { WIDEST_EXPANDED } from './expanded-matrices.ts';
import { type ForcedWindow, forcedFeeds } from './forced-feeds.ts';
import { type DecodedWindow, recognitions } from './recognitions.ts';
import { fittedText, rowPrompt } from './row-prompt.ts';
import { WhisperTokenizer } from './tokenizer.ts';
import { WINDOW_SAMPLES } from './transcription-graph.ts';
import { assertNumbers, batchSizesUpTo, everydayWindows, longestWindows } from './warm-up.ts';

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
  /** Of its own where one engine has several Whispers. */
  readonly session?: string;
  /** Counts batches and waits; the recogniser's own unless two count together. */
  readonly meter?: SchedulerMeter;
  /** Hears of batches that failed and are tried again. */
  readonly onTrouble?: (trouble: SchedulerTrouble) => void;
}

interface QueuedWindow extends DecodedWindow {
  readonly kind: DecodingKind;
}

/**
 * Beams of a second search for doubtful text, where a second copy of the decoder is cheap: of large
 * networks it would take gigabytes of a GPU's memory, and they are seldom in doubt.
 */
const RETRY_BEAMS = 5;

/** Whisper behind the pipeline's interface; concurrent requests are decoded in batches. */
export class WhisperRecognizer implements SpeechRecognizer {
  readonly maxWindowSamples = WINDOW_SAMPLES;
  readonly modelName: string;
  readonly languages: readonly string[];
  readonly retryBeamSize: number;
  readonly meter: SchedulerMeter;
  readonly #engine: InferenceEngine;
  readonly #checkpoint: WhisperCheckpoint;
  readonly #tokenizer: WhisperTokenizer;
  readonly #options: WhisperOptions & { readonly session: string };
  readonly #scheduler: WindowScheduler<QueuedWindow, Recognition, EngineTurn>;
  readonly #beamSession: BeamSession;
  #numeralTokens: readonly number[] | undefined;

  private constructor(
    engine: InferenceEngine,
    checkpoint: WhisperCheckpoint,
    tokenizer: WhisperTokenizer,
    options: WhisperOptions & { readonly session: string },
  ) {
    const { modelName, folder, computeType, batchSize, onTrouble } = options;
    this.#options = options;
    this.#engine = engine;
    this.#checkpoint = checkpoint;
    this.#tokenizer = tokenizer;
    this.modelName = modelName;
    this.meter = options.meter ?? new SchedulerMeter();
    this.languages = checkpoint.tokens.languages;
    const isCheap = engine.device === 'cpu' && checkpoint.dModel <= WIDEST_EXPANDED;
    this.retryBeamSize = isCheap ? RETRY_BEAMS : 1;
    const beams = { kind: 'whisper', search: 'beam', folder, computeType, batchSize } as const;
    this.#beamSession = new BeamSession(engine, beams);
    this.#scheduler = new WindowScheduler({
      batchSize,
      keyOf: ({ kind }) => keyOf(kind),
      joinKeyOf: ({ kind }) =>
        kind.contextSamples < WINDOW_SAMPLES ? keyOf(inFullContext(kind)) : undefined,
      shapeOf: ({ kind }) => shapeOf(kind),
      run: (windows, turn) => this.#runBatch(windows, turn),
      turn: (priority) => this.#turn(priority),
      makeRoom: () => this.#beamSession.makeRoom(),
      onTrouble,
      meter: this.meter,
    });
  }

  /** Loads the network into the engine. @throws {SttError} MODEL_*, DEVICE_UNAVAILABLE. */
  static async load(engine: InferenceEngine, options: WhisperOptions): Promise<WhisperRecognizer> {
    const { folder, computeType, batchSize, session = 'whisper' } = options;
    const [checkpoint, tokenizer] = await Promise.all([
      readWhisperCheckpoint(folder),
      WhisperTokenizer.load(folder),
      engine.load(session, { kind: 'whisper', folder, computeType, batchSize }),
    ]);
    return new WhisperRecognizer(engine, checkpoint, tokenizer, { ...options, session });
  }

  /** Of the usual, greedy decode: as configured, or less once the device's memory has run out. */
  get batchSize(): number {
    return this.#scheduler.batchSizeOf();
  }

  /** Windows that wait for a batch. */
  get queueLength(): number {
    return this.#scheduler.queueLength;
  }

  stats(): SchedulerStats {
    return this.#scheduler.stats();
  }

  async prepare({ beamSize = 1 }: DecodingRules, signal: AbortSignal): Promise<void> {
    if (beamSize > 1) await this.#beamSession.during(() => Promise.resolve(), signal);
  }

  async recognize(request: RecognitionRequest, signal: AbortSignal): Promise<Recognition> {
    const { waveform } = request;
    this.#assertLanguage(request);
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
    const submit = (): Promise<Recognition> =>
      this.#scheduler.submit(window, request.scheduling ?? DEFAULT_SCHEDULING, signal);
    const isBeam = window.kind.search === 'beam';
    return await (isBeam ? this.#beamSession.during(submit, signal) : submit());
  }

  #assertLanguage({ language, languages = [] }: RecognitionRequest): void {
    const asked = language === null ? languages : [language];
    if (asked.length === 0 || asked.some((code) => this.languages.includes(code))) return;
    throw new SttError('LANGUAGE_UNSUPPORTED', `${this.modelName} does not know ${asked.join()}`);
  }

  textOf(tokenIds: readonly number[]): string {
    return this.#tokenizer.decode(tokenIds);
  }

  /**
   * Runs every batch size that will be used once, in all that a decode may do, so that no job pays for
   * kernel tuning; and the largest at its longest, so that what the device's memory cannot hold is
   * found out here. Its probabilities are looked at: weights that are not numbers are found out too.
   * @throws {SttError} MODEL_INVALID, GPU_OUT_OF_MEMORY
   * @param onSize hears of each size that has run, and how long it took.
   */
  async warmUp(onSize: (windows: number, elapsedMs: number) => void = () => {}): Promise<void> {
    const sizes = this.#engine.device === 'cuda' ? batchSizesUpTo(this.batchSize) : [1];
    for (const size of sizes) {
      const isLargest = this.#engine.device === 'cuda' && size === sizes.at(-1);
      const longest = isLargest ? [longestWindows(this.#checkpoint, size)] : [];
      const startedAt = performance.now();
      for (const windows of [everydayWindows(size), ...longest]) {
        if (!(await this.#fits(windows))) return;
      }
      onSize(size, Math.round(performance.now() - startedAt));
    }
  }

  /** Halves the batch size if the device's memory does not hold these windows. */
  async #fits(windows: readonly ForcedWindow[]): Promise<boolean> {
    try {
      const feeds = forcedFeeds(this.#checkpoint, windows, { attention: true });
      assertNumbers(await this.#engine.run(this.#options.session, feeds));
      return true;
    } catch (thrown) {
      const isTooMuch = thrown instanceof SttError && thrown.code === 'GPU_OUT_OF_MEMORY';
      if (!isTooMuch || windows.length === 1) throw thrown;
      this.#scheduler.reduce('', windows.length);
      return false;
    }
  }

  async #turn(priority: () => Priority): Promise<EngineTurn> {
    const turn = await this.#engine.turn(priority);
    if (turn.hasWaited) await setTimeout(JOINING_MS);
    return turn;
  }

  async #runBatch(
    windows: readonly QueuedWindow[],
    turn: EngineTurn | undefined,
  ): Promise<Recognition[]> {
    const kind = widest(windows.map((window) => window.kind));
    const feeds = decodeFeeds(
      this.#checkpoint,
      windows.map(({ request }) => request),
      windows.map(({ prompt }) => prompt),
      { windows: this.#rowsFor(windows.length), kind },
    );
    const isBeam = kind.search === 'beam';
    const outputs = await (isBeam
      ? this.#beamSession.run(feeds)
      : (turn ?? this.#engine).run(this.#options.session, feeds));
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

  /** A GPU's batches are filled up to one of the sizes that have been warmed up. */
  #rowsFor(count: number): number {
    if (this.#engine.device === 'cpu') return count;
    return batchSizesUpTo(this.#options.batchSize).find((size) => size >= count) ?? count;
  }
}

const keyOf = (kind: DecodingKind): string => JSON.stringify(kind);

const inFullContext = (kind: DecodingKind): DecodingKind => ({
  ...kind,
  contextSamples: WINDOW_SAMPLES,
});

/** Memory goes by the rows of a window; '' is the usual decode. */
const shapeOf = ({ search, rowsPerWindow }: DecodingKind): string =>
  rowsPerWindow === 1 ? '' : `${search} ${rowsPerWindow}`;

/** Kinds of one batch differ in the padding at most. */
const widest = (kinds: readonly DecodingKind[]): DecodingKind =>
  kinds.reduce((wide, kind) => (kind.contextSamples > wide.contextSamples ? kind : wide));
