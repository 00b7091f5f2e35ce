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
import { frameGeometry, readWav2Vec2Checkpoint, type Wav2Vec2Checkpoint } from './checkpoint.ts';
import { readCtcVocabulary } from './vocabulary.ts';

export interface AlignerOptions {
  /** Name of the session in the engine. */
  readonly session: string;
  readonly folder: string;
  readonly computeType: ComputeType;
  readonly onTrouble?: ((trouble: SchedulerTrouble) => void) | undefined;
}

/** A CPU gains nothing by padding rows to one length. */
const BATCH_SIZE = { cuda: 8, cpu: 1 } as const;
/** Attention grows with the square of the length. */
const MAX_WINDOW_SAMPLES = secToSamples(40);
/** Windows whose lengths differ by less than this share a batch. */
const LENGTH_STEP_SAMPLES = secToSamples(5);
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
    checkpoint: Wav2Vec2Checkpoint,
    vocabulary: CtcVocabulary,
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
      keyOf: ({ length }) => String(Math.ceil(length / LENGTH_STEP_SAMPLES)),
      run: (windows) => this.#runBatch(windows),
      onTrouble: options.onTrouble,
    });
  }

  /** Loads the network into the engine. @throws {SttError} MODEL_*, DEVICE_UNAVAILABLE. */
  static async load(engine: InferenceEngine, options: AlignerOptions): Promise<Wav2Vec2Aligner> {
    const { folder } = options;
    const checkpoint = await readWav2Vec2Checkpoint(folder);
    const vocabulary = await readCtcVocabulary(folder, checkpoint);
    await loadSession(engine, options);
    return new Wav2Vec2Aligner(engine, checkpoint, vocabulary, options);
  }

  emissions(
    waveform: Float32Array<ArrayBuffer>,
    scheduling: Scheduling,
    signal: AbortSignal,
  ): Promise<Emissions> {
    return this.#scheduler.submit(waveform, scheduling, signal);
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
    const samples = Math.max(...lengths);
    const rows = new Float32Array(windows.length * samples);
    for (const [row, window] of windows.entries()) {
      rows.set(this.#checkpoint.normalizeWaveform ? normalized(window) : window, row * samples);
    }
    const { emissions } = await this.#engine.run(this.#options.session, {
      waveform: { type: 'float32', data: rows, dims: [windows.length, samples] },
      lengths: { type: 'int64', data: BigInt64Array.from(lengths, BigInt), dims: [windows.length] },
    });
    const data = emissions!.data as Float32Array; // [windows, frames, classes]
    const [, frames = 0, classes = 0] = emissions!.dims;
    return lengths.map((length, row) => {
      const own = Math.floor((length - this.receptiveFieldSamples) / this.samplesPerFrame) + 1;
      const start = row * frames * classes;
      return { logProbs: data.subarray(start, start + own * classes), frames: own, classes };
    });
  }
}

const loadSession = (
  engine: InferenceEngine,
  { session, folder, computeType }: AlignerOptions,
): Promise<void> => engine.load(session, { kind: 'wav2vec2', folder, computeType });

/** Mean 0, variance 1. */
function normalized(waveform: Float32Array): Float32Array {
  const count = Math.max(1, waveform.length);
  const mean = waveform.reduce((sum, sample) => sum + sample, 0) / count;
  const variance = waveform.reduce((sum, sample) => sum + (sample - mean) ** 2, 0) / count;
  const deviation = Math.sqrt(variance + VARIANCE_FLOOR);
  return waveform.map((sample) => (sample - mean) / deviation);
}
