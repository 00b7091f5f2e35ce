import { SttError } from '../../core/errors.ts';
import type { AlignmentModel, AlignmentModels } from '../../pipeline/contracts.ts';
import type { InferenceEngine } from '../engine/engine.ts';
import type { ComputeType } from '../engine/protocol.ts';
import type { SchedulerTrouble } from '../engine/window-scheduler.ts';
import { ctcFiles } from '../hub/needs.ts';
import type { HubOptions } from '../hub/options.ts';
import { resolveModel } from '../hub/resolve-model.ts';
import { ALIGNMENT_MODELS } from '../registry.ts';
import { Wav2Vec2Aligner } from './wav2vec2-aligner.ts';

export interface AlignmentRegistryOptions {
  readonly hub: HubOptions;
  readonly computeType: ComputeType;
  /** Models kept in memory; the one that was asked for longest ago makes room. */
  readonly maxLoaded: number;
  /** Model references by language, instead of the table's. */
  readonly overrides?: Readonly<Record<string, string>>;
  readonly onTrouble?: (trouble: SchedulerTrouble) => void;
}

/** How long a model that could not be had is not tried again. */
const RETRY_AFTER_MS = 60_000;

/** Alignment models by language: found or downloaded when first asked for, the last few kept. */
export class AlignmentRegistry implements AlignmentModels {
  readonly #engine: InferenceEngine;
  readonly #options: AlignmentRegistryOptions;
  readonly #stop: AbortSignal;
  /** By language, the one asked for last at the end. */
  readonly #loaded = new Map<string, Promise<Wav2Vec2Aligner>>();
  readonly #failures = new Map<string, { readonly error: SttError; readonly atMs: number }>();
  #sessions = 0;

  /** @param stop ends downloads when the program does. */
  constructor(engine: InferenceEngine, options: AlignmentRegistryOptions, stop: AbortSignal) {
    this.#engine = engine;
    this.#options = options;
    this.#stop = stop;
  }

  async forLanguage(language: string): Promise<AlignmentModel | null> {
    const reference = this.#referenceOf(language);
    if (reference === undefined) return null;
    const failure = this.#failures.get(language);
    if (failure && performance.now() - failure.atMs < RETRY_AFTER_MS) throw failure.error;
    const model = this.#loaded.get(language) ?? this.#load(language, reference);
    this.#loaded.delete(language);
    this.#loaded.set(language, model);
    return model;
  }

  #referenceOf(language: string): string | undefined {
    const override = this.#options.overrides?.[language];
    if (override !== undefined) return override;
    const pinned = new Map(Object.entries(ALIGNMENT_MODELS)).get(language);
    return pinned?.repo; // the registry knows its revision
  }

  #load(language: string, reference: string): Promise<Wav2Vec2Aligner> {
    const session = `alignment ${language} ${this.#sessions++}`;
    this.#makeRoom();
    const loading = this.#start(session, reference);
    loading.catch((thrown: unknown) => {
      this.#loaded.delete(language);
      const error = SttError.from(thrown);
      this.#failures.set(language, { error, atMs: performance.now() });
    });
    return loading;
  }

  async #start(session: string, reference: string): Promise<Wav2Vec2Aligner> {
    const { hub, computeType, onTrouble } = this.#options;
    const { folder } = await resolveModel(reference, ctcFiles, hub, this.#stop);
    return Wav2Vec2Aligner.load(this.#engine, { session, folder, computeType, onTrouble });
  }

  #makeRoom(): void {
    const surplus = this.#loaded.size + 1 - this.#options.maxLoaded;
    for (const [language, model] of [...this.#loaded].slice(0, Math.max(0, surplus))) {
      this.#loaded.delete(language);
      model.then((old) => old.evict()).catch(() => undefined);
    }
  }
}
