import { secToSamples } from '../../audio/time.ts';
import type {
  AlignmentModel,
  CtcVocabulary,
  Emissions,
  Scheduling,
} from '../../pipeline/contracts.ts';
import type { InferenceEngine } from '../engine/engine.ts';
import type { ComputeType } from '../engine/protocol.ts';
import { type SchedulerTrouble, WindowScheduler } from '../engine/window-scheduler.ts';
import { batchShape, LENGTH_STEP_SAMPLES, MAX_ROWS, WARM_UP_SHAPES } from './batch-shape.ts';
import { frameGeometry, type Wav2Vec2Checkpoint } from './checkpoint.ts';

export interface AlignerOptions {
  /** Name of the session in the engine. */
  readonly session: string;
  readonly folder: string;
  readonly computeType: ComputeType;
  readonly onTrouble?: ((trouble: SchedulerTrouble) => void) | undefined;
}

/** What the files of a model say about it. */
export interface AlignerDescription {
  readonly checkpoint: Wav2Vec2Checkpoint;
  readonly vocabulary: CtcVocabulary;
}

/** A CPU gains nothing by padding rows to one length. */
const BATCH_SIZE = { cuda: MAX_ROWS, cpu: 1 } as const;
/** Attention grows with the square of the length. */
const MAX_WINDOW_SAMPLES = secToSamples(40);
/** Of `Wav2Vec2FeatureExtractor`. */
const VARIANCE_FLOOR = 1e-7;

/** Wav2vec2 with a CTC head behind the pipeline's interface; concurrent windows run in batches. */
export class Wav2Vec2Aligner implements AlignmentModel {
  readonly maxWindowSamples = MAX_WINDOW_SAMPLES;
  readonly vocabulary: CtcVocabulary;
  readonly samplesPerFrame: number;
  readonly receptiveFieldSamples: number;
  readonly batchSize: number;
  readonly #checkpoint: Wav2Vec2Checkpoint;
  readonly #engine: InferenceEngine;
  readonly #options: AlignerOptions;
  readonly #scheduler: WindowScheduler<Float32Array, Emissions>;
  #isLoaded = true;
  #isEvicted = false;

  private constructor(
    engine: InferenceEngine,
    { checkpoint, vocabulary }: AlignerDescription,
    options: AlignerOptions,
  ) {
    const { samplesPerFrame, receptiveField } = frameGeometry(checkpoint);
    this.#engine = engine;
    this.#checkpoint = checkpoint;
    this.#options = options;
    this.vocabulary = vocabulary;
    this.samplesPerFrame = samplesPerFrame;
    this.receptiveFieldSamples = receptiveField;
    this.batchSize = BATCH_SIZE[engine.device];
    this.#scheduler = new WindowScheduler({
      batchSize: this.batchSize,
      // Windows whose lengths differ by less than a step share a batch.
      keyOf: ({ length }) => String(Math.ceil(length / LENGTH_STEP_SAMPLES)),
      run: (windows) => this.#runBatch(windows),
      onTrouble: options.onTrouble,
    });
  }

  /** Loads the network into the engine. @throws {SttError} MODEL_*, DEVICE_UNAVAILABLE. */
  static async load(
    engine: InferenceEngine,
    description: AlignerDescription,
    options: AlignerOptions,
  ): Promise<Wav2Vec2Aligner> {
    await loadSession(engine, options);
    return new Wav2Vec2Aligner(engine, description, options);
  }

  emissions(
    waveform: Float32Array<ArrayBuffer>,
    scheduling: Scheduling,
    signal: AbortSignal,
  ): Promise<Emissions> {
    return this.#scheduler.submit(waveform, scheduling, signal);
  }

  /** Runs every shape of batch that a GPU will see, so that cuDNN chooses its algorithms now. */
  async warmUp(signal: AbortSignal): Promise<void> {
    if (this.#engine.device !== 'cuda') return;
    for (const { rows, samples } of WARM_UP_SHAPES) {
      signal.throwIfAborted();
      await this.#run(Array.from({ length: rows }, () => new Float32Array(samples)));
    }
  }

  /**
   * Releases the network. Who still holds the model may go on to use it: it is then loaded again, and
   * released when nothing waits for it.
   */
  async evict(): Promise<void> {
    this.#isEvicted = true;
    if (this.#scheduler.queueLength === 0) await this.#unload();
  }

  async #unload(): Promise<void> {
    if (!this.#isLoaded) return;
    this.#isLoaded = false;
    await this.#engine.unload(this.#options.session);
  }

  async #runBatch(windows: readonly Float32Array[]): Promise<Emissions[]> {
    if (!this.#isLoaded) await loadSession(this.#engine, this.#options);
    this.#isLoaded = true;
    try {
      return await this.#run(windows);
    } finally {
      if (this.#isEvicted && this.#scheduler.queueLength === 0) await this.#unload();
    }
  }

  async #run(windows: readonly Float32Array[]): Promise<Emissions[]> {
    const lengths = windows.map(({ length }) => Math.max(length, this.receptiveFieldSamples));
    const { rows, samples } = batchShape(lengths, this.#engine.device);
    const data = new Float32Array(rows * samples);
    for (const [row, window] of windows.entries()) {
      data.set(this.#checkpoint.normalizeWaveform ? normalized(window) : window, row * samples);
    }
    // A row that is there for the shape alone must have a frame to take the mean of.
    const padded = BigInt64Array.from({ length: rows }, (_, row) =>
      BigInt(lengths[row] ?? this.receptiveFieldSamples),
    );
    const { emissions } = await this.#engine.run(this.#options.session, {
      waveform: { type: 'float32', data, dims: [rows, samples] },
      lengths: { type: 'int64', data: padded, dims: [rows] },
    });
    const logProbs = emissions!.data as Float32Array; // [rows, frames, classes]
    const [, frames = 0, classes = 0] = emissions!.dims;
    return lengths.map((length, row) => {
      const own = Math.floor((length - this.receptiveFieldSamples) / this.samplesPerFrame) + 1;
      const start = row * frames * classes;
      return { logProbs: logProbs.subarray(start, start + own * classes), frames: own, classes };
    });
  }
}

const loadSession = (
  engine: InferenceEngine,
  { session, folder, computeType }: AlignerOptions,
): Promise<void> => engine.load(session, { kind: 'wav2vec2', folder, computeType });

/** Mean 0, variance 1. In loops: callbacks for half a million samples take four times as long. */
function normalized(waveform: Float32Array): Float32Array {
  const count = Math.max(1, waveform.length);
  let sum = 0;
  for (let i = 0; i < waveform.length; i++) sum += waveform[i]!;
  const mean = sum / count;
  let squares = 0;
  for (let i = 0; i < waveform.length; i++) squares += (waveform[i]! - mean) ** 2;
  const deviation = Math.sqrt(squares / count + VARIANCE_FLOOR);
  const values = new Float32Array(waveform.length);
  for (let i = 0; i < values.length; i++) values[i] = (waveform[i]! - mean) / deviation;
  return values;
}
