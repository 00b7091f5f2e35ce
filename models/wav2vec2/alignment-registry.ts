import { SttError } from '../../core/errors.ts';
import type { AlignmentModel, AlignmentModels } from '../../pipeline/contracts.ts';
import type { InferenceEngine } from '../engine/engine.ts';
import type { ComputeType } from '../engine/protocol.ts';
import type { SchedulerTrouble } from '../engine/window-scheduler.ts';
import { HubReach } from '../hub/hub-reach.ts';
import { ctcFiles } from '../hub/needs.ts';
import type { HubOptions } from '../hub/options.ts';
import { resolveModel } from '../hub/resolve-model.ts';
import { ALIGNMENT_MODELS } from '../registry.ts';
import { readWav2Vec2Checkpoint, weightBytesOf } from './checkpoint.ts';
import { SharedLoad } from './shared-load.ts';
import { readCtcVocabulary } from './vocabulary.ts';
import { type AlignerDescription, Wav2Vec2Aligner } from './wav2vec2-aligner.ts';

export interface AlignmentRegistryOptions {
  readonly hub: HubOptions;
  readonly computeType: ComputeType;
  /**
   * Bytes of weights that are kept; the models that were asked for longest ago make room. By default
   * two large models, whose weights are 316 million numbers each.
   */
  readonly maxBytes?: number | undefined;
  /** Model references by language, instead of the table's. */
  readonly overrides?: Readonly<Record<string, string>>;
  readonly onTrouble?: (trouble: SchedulerTrouble) => void;
}

/** How long a model that could not be had is not tried again. */
const RETRY_AFTER_MS = 60_000;
const DEFAULT_WEIGHTS = 2 * 320_000_000;
const WEIGHT_BYTES = { float16: 2, float32: 4 } as const;

/**
 * Alignment models by language: found or downloaded when first asked for, the last few kept. A job
 * waits no longer than `HubReach` does for a Hub that does not answer.
 */
export class AlignmentRegistry implements AlignmentModels {
  readonly #engine: InferenceEngine;
  readonly #options: AlignmentRegistryOptions;
  readonly #stop: AbortSignal;
  readonly #reach: HubReach;
  readonly #loads = new Map<string, SharedLoad<Wav2Vec2Aligner>>();
  /** By language, the one asked for last at the end. */
  readonly #kept = new Map<string, { readonly model: Wav2Vec2Aligner; readonly bytes: number }>();
  readonly #failures = new Map<string, { readonly error: SttError; readonly atMs: number }>();
  #sessions = 0;

  /** @param stop ends downloads when the program does. */
  constructor(engine: InferenceEngine, options: AlignmentRegistryOptions, stop: AbortSignal) {
    this.#engine = engine;
    this.#options = options;
    this.#stop = stop;
    this.#reach = new HubReach(options.hub);
  }

  supports(language: string): boolean {
    return this.#referenceOf(language) !== undefined;
  }

  forLanguage(language: string, signal: AbortSignal): Promise<AlignmentModel | null> {
    return this.#modelOf(language, this.#reach, signal);
  }

  /** @param reach left out where the model is to be waited for. */
  async #modelOf(
    language: string,
    reach: HubReach | undefined,
    signal: AbortSignal,
  ): Promise<AlignmentModel | null> {
    const reference = this.#referenceOf(language);
    if (reference === undefined) return null;
    const failure = this.#failures.get(language);
    if (failure && performance.now() - failure.atMs < RETRY_AFTER_MS) throw failure.error;
    const kept = this.#kept.get(language);
    if (kept !== undefined) {
      this.#kept.delete(language);
      this.#kept.set(language, kept);
      return kept.model;
    }
    return this.#loadOf(language, reference, reach).wait(signal);
  }

  /**
   * Loads these languages' models and warms them up, one after the other.
   * @throws {SttError} MODEL_*, DISK_FULL; MODEL_NOT_FOUND for a language without one.
   */
  async preload(languages: readonly string[], signal: AbortSignal): Promise<void> {
    for (const language of languages) {
      const model = await this.#modelOf(language, undefined, signal);
      if (model === null) {
        const message = `ALIGNMENT_PRELOAD: there is no alignment model for ${language}`;
        throw new SttError('MODEL_NOT_FOUND', message);
      }
      await this.#kept.get(language)?.model.warmUp(signal);
    }
  }

  #referenceOf(language: string): string | undefined {
    const override = this.#options.overrides?.[language];
    if (override !== undefined) return override;
    const pinned = new Map(Object.entries(ALIGNMENT_MODELS)).get(language);
    return pinned?.repo; // the registry knows its revision
  }

  #loadOf(
    language: string,
    reference: string,
    reach: HubReach | undefined,
  ): SharedLoad<Wav2Vec2Aligner> {
    const underWay = this.#loads.get(language);
    if (underWay !== undefined && !underWay.isAbandoned) return underWay;
    const load = new SharedLoad(
      (signal) => this.#load(language, { reference, reach }, signal),
      this.#stop,
    );
    this.#loads.set(language, load);
    const forget = (): void => {
      if (this.#loads.get(language) === load) this.#loads.delete(language);
    };
    load.result.then(forget, (thrown: unknown) => {
      forget();
      if (load.isAbandoned) return;
      this.#failures.set(language, { error: SttError.from(thrown), atMs: performance.now() });
    });
    return load;
  }

  async #load(
    language: string,
    { reference, reach }: { readonly reference: string; readonly reach: HubReach | undefined },
    signal: AbortSignal,
  ): Promise<Wav2Vec2Aligner> {
    const { hub, computeType } = this.#options;
    const { folder } = await resolveModel(reference, ctcFiles, { ...hub, reach }, signal);
    const checkpoint = await readWav2Vec2Checkpoint(folder);
    const vocabulary = await readCtcVocabulary(folder, checkpoint);
    const bytes = weightBytesOf(checkpoint, WEIGHT_BYTES[computeType]);
    signal.throwIfAborted();
    const { maxBytes = DEFAULT_WEIGHTS * WEIGHT_BYTES[computeType] } = this.#options;
    while (this.#keptBytes() + bytes > maxBytes && (await this.#evictOldest()));
    const model = await this.#start(folder, { checkpoint, vocabulary });
    this.#kept.set(language, { model, bytes });
    return model;
  }

  /** Other models make room as long as memory is too small, whatever the budget says. */
  async #start(folder: string, description: AlignerDescription): Promise<Wav2Vec2Aligner> {
    const { computeType, onTrouble } = this.#options;
    const session = `alignment ${this.#sessions++}`;
    const options = { session, folder, computeType, onTrouble };
    for (;;) {
      try {
        return await Wav2Vec2Aligner.load(this.#engine, description, options);
      } catch (error) {
        if (!isOutOfMemory(error) || !(await this.#evictOldest())) throw error;
      }
    }
  }

  #keptBytes(): number {
    return [...this.#kept.values()].reduce((sum, { bytes }) => sum + bytes, 0);
  }

  /** False where there is none. */
  async #evictOldest(): Promise<boolean> {
    const [oldest] = this.#kept;
    if (oldest === undefined) return false;
    const [language, { model }] = oldest;
    this.#kept.delete(language);
    await model.evict().catch(() => undefined);
    return true;
  }
}

const isOutOfMemory = (error: unknown): boolean =>
  error instanceof SttError && error.code === 'GPU_OUT_OF_MEMORY';
