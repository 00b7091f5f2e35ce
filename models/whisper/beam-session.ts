import { SttError } from '../../core/errors.ts';
import { untilAborted } from '../../core/until-aborted.ts';
import type { InferenceEngine } from '../engine/engine.ts';
import type { NetworkSource, TensorMap } from '../engine/protocol.ts';

const SESSION = 'whisper-beam';
/** So long it is kept for the next job: loading it again costs seconds, keeping it a model's memory. */
const IDLE_MS = 300_000;
/** How long a beam search that did not fit is not tried again. */
const RETRY_AFTER_MS = 60_000;

/**
 * The beam search's network, which has weights of its own: loaded when it is first asked for, on a
 * thread of its own so that nobody else waits meanwhile, and let go when nobody has wanted it for five
 * minutes or when others run out of memory.
 */
export class BeamSession {
  readonly #main: InferenceEngine;
  readonly #source: NetworkSource;
  readonly #idleMs: number;
  #engine: InferenceEngine | undefined;
  #loading: Promise<InferenceEngine> | undefined;
  #failure: { readonly error: SttError; readonly atMs: number } | undefined;
  #users = 0;
  #idle: NodeJS.Timeout | undefined;

  constructor(main: InferenceEngine, source: NetworkSource, idleMs = IDLE_MS) {
    this.#main = main;
    this.#source = source;
    this.#idleMs = idleMs;
  }

  /**
   * What `work` returns, which may rely on the network to be there.
   * @throws {SttError} MODEL_*, GPU_OUT_OF_MEMORY when it cannot be loaded: at once, for a minute.
   */
  async during<Result>(work: () => Promise<Result>, signal: AbortSignal): Promise<Result> {
    this.#users += 1;
    clearTimeout(this.#idle);
    try {
      await untilAborted(this.#ready(), signal);
      return await work();
    } finally {
      this.#users -= 1;
      if (this.#users === 0) this.#idle = setTimeout(() => this.#letGo(), this.#idleMs).unref();
    }
  }

  /** Runs the network; to be called within `during`. */
  async run(feeds: TensorMap): Promise<TensorMap> {
    return (await this.#ready()).run(SESSION, feeds);
  }

  /** Gives its memory back unless someone uses it. @returns whether there was any. */
  async makeRoom(): Promise<boolean> {
    if (this.#users > 0 || this.#loading === undefined) return false;
    await this.#letGo();
    return true;
  }

  #ready(): Promise<InferenceEngine> {
    const { error, atMs = 0 } = this.#failure ?? {};
    if (error !== undefined && performance.now() - atMs < RETRY_AFTER_MS) {
      return Promise.reject(error);
    }
    this.#loading ??= this.#load();
    return this.#loading;
  }

  async #load(): Promise<InferenceEngine> {
    const engine = this.#main.sibling();
    try {
      await engine.load(SESSION, this.#source);
      this.#engine = engine;
      this.#failure = undefined;
      return engine;
    } catch (thrown) {
      const error = SttError.from(thrown);
      this.#failure = { error, atMs: performance.now() };
      this.#loading = undefined;
      await engine.close();
      throw error;
    }
  }

  async #letGo(): Promise<void> {
    const engine = this.#engine;
    this.#engine = undefined;
    this.#loading = undefined;
    await engine?.close();
  }
}
