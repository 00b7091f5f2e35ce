import { Worker } from 'node:worker_threads';
import { SttError } from '../../core/errors.ts';
import { unpackFailure } from './failure-message.ts';
import {
  type DeviceOptions,
  type EngineRequest,
  type EngineResponse,
  type NetworkSource,
  type TensorMap,
  transferList,
} from './protocol.ts';

interface Pending {
  readonly answered: Promise<TensorMap>;
  resolve(outputs: TensorMap): void;
  reject(error: unknown): void;
}

/** A request before it gets its number. */
type Unsent<Request> = Request extends unknown ? Omit<Request, 'id'> : never;

/** A thread may die once in the engine's life; a second death is a fault that must be seen. */
const MAX_RESTARTS = 1;

/**
 * All inference, in one worker thread: the caller's event loop stays free while a model runs.
 *
 * A crash of the thread fails the requests under way (ENGINE_CRASHED, retryable), starts a new
 * thread once and loads every session again. After a second crash every call fails and `onFatal`
 * is called.
 */
export class InferenceEngine {
  readonly #device: DeviceOptions;
  readonly #onFatal: (error: SttError) => void;
  readonly #threadModule: URL;
  readonly #pending = new Map<number, Pending>();
  readonly #loaded = new Map<string, { source: NetworkSource; device: DeviceOptions['device'] }>();
  #worker: Worker | undefined;
  #nextId = 1;
  #restarts = 0;
  #closed = false;

  constructor(
    device: DeviceOptions,
    onFatal: (error: SttError) => void,
    threadModule = new URL('./engine-thread.ts', import.meta.url),
  ) {
    this.#device = device;
    this.#onFatal = onFatal;
    this.#threadModule = threadModule;
    this.#worker = this.#startThread();
  }

  get device(): DeviceOptions['device'] {
    return this.#device.device;
  }

  /**
   * @param device where this session runs, the engine's own device by default.
   * @throws {SttError} MODEL_*, DEVICE_UNAVAILABLE, ENGINE_CRASHED.
   */
  async load(session: string, source: NetworkSource, device = this.device): Promise<void> {
    await this.#send({ type: 'load', session, source, device: { ...this.#device, device } });
    this.#loaded.set(session, { source, device });
  }

  /**
   * Runs a session. The feeds' buffers are moved away and must not be used afterwards.
   * @throws {SttError} GPU_OUT_OF_MEMORY, ENGINE_CRASHED, INTERNAL.
   */
  run(session: string, feeds: TensorMap): Promise<TensorMap> {
    return this.#send({ type: 'run', session, feeds }, transferList(feeds));
  }

  /** Waits until all that has been sent so far is answered or failed; false: there was nothing. */
  async caughtUp(): Promise<boolean> {
    if (this.#pending.size === 0) return false;
    await Promise.allSettled([...this.#pending.values()].map(({ answered }) => answered));
    return true;
  }

  /** Releases one session; runs that were sent before are finished first. */
  async unload(session: string): Promise<void> {
    this.#loaded.delete(session);
    await this.#send({ type: 'unload', session });
  }

  /** Releases every session and ends the thread; what is under way is finished first. */
  async close(): Promise<void> {
    if (this.#closed) return;
    const released = this.#send({ type: 'close' });
    this.#closed = true;
    await released.catch(() => undefined);
    const worker = this.#worker;
    this.#worker = undefined;
    await worker?.terminate();
  }

  #send(request: Unsent<EngineRequest>, transfer: ArrayBuffer[] = []): Promise<TensorMap> {
    const worker = this.#worker;
    if (worker === undefined || this.#closed) {
      return Promise.reject(new SttError('ENGINE_CRASHED', 'The engine is not running'));
    }
    const id = this.#nextId++;
    let settle: Omit<Pending, 'answered'> | undefined;
    const answered = new Promise<TensorMap>((resolve, reject) => {
      settle = { resolve, reject };
    });
    this.#pending.set(id, { ...settle!, answered });
    worker.postMessage({ ...request, id }, transfer);
    return answered;
  }

  #startThread(): Worker {
    const worker = new Worker(this.#threadModule);
    worker.on('message', (response: EngineResponse) => this.#settle(worker, response));
    worker.on('error', (error) => this.#recover(worker, error));
    worker.on('exit', () => this.#recover(worker, undefined));
    return worker;
  }

  /** A lost GPU counts as a crash: only a new thread can tell whether it comes back. */
  #settle(worker: Worker, response: EngineResponse): void {
    if (worker !== this.#worker) return;
    const pending = this.#pending.get(response.id);
    const failure = response.outcome === 'failed' ? unpackFailure(response.error) : undefined;
    if (failure instanceof SttError && failure.code === 'ENGINE_CRASHED') {
      this.#recover(worker, failure);
      void worker.terminate();
      return;
    }
    this.#pending.delete(response.id);
    if (response.outcome === 'done') pending?.resolve(response.outputs);
    else pending?.reject(failure);
  }

  #recover(worker: Worker, cause: unknown): void {
    if (worker !== this.#worker) return; // Closed, or replaced by the 'error' before this 'exit'.
    const crash = new SttError('ENGINE_CRASHED', 'The engine thread ended unexpectedly', { cause });
    this.#abandon(crash);
    if (this.#closed) return;
    if (this.#restarts >= MAX_RESTARTS) {
      this.#onFatal(crash);
      return;
    }
    this.#restarts += 1;
    const restarted = this.#startThread();
    this.#worker = restarted;
    for (const [session, { source, device }] of this.#loaded) {
      this.load(session, source, device).catch((error: unknown) => {
        if (this.#worker === restarted) this.#giveUp(error);
      });
    }
  }

  /** A session that does not come back is the end: runs on it would blame the jobs. */
  #giveUp(cause: unknown): void {
    const worker = this.#worker;
    this.#abandon(new SttError('ENGINE_CRASHED', 'The engine could not be restarted', { cause }));
    void worker?.terminate();
    this.#onFatal(SttError.from(cause));
  }

  /** Fails everything under way and lets the thread go. */
  #abandon(crash: SttError): void {
    this.#worker = undefined;
    for (const { reject } of this.#pending.values()) reject(crash);
    this.#pending.clear();
  }
}
