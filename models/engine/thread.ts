import { Worker } from 'node:worker_threads';
import { SttError } from '../../core/errors.ts';
import { unpackFailure } from './failure-message.ts';
import {
  type EngineRequest,
  type EngineResponse,
  type LoadTimes,
  type TensorMap,
  transferList,
} from './protocol.ts';

/** A request before it gets its number. */
export type Unsent = WithoutId<EngineRequest>;
type WithoutId<Request> = Request extends unknown ? Omit<Request, 'id'> : never;

export interface Answer {
  resolve(outputs: TensorMap): void;
  reject(error: unknown): void;
}

export interface ThreadEvents {
  /** The request has been answered: the next may be sent. */
  onFree(): void;
  /** Called once, unless the thread was ended; the request under way is rejected with the same. */
  onDeath(crash: SttError): void;
  onLoad(session: string, times: LoadTimes): void;
}

interface Sent extends Answer {
  readonly id: number;
  readonly request: Unsent;
  readonly timer: NodeJS.Timeout;
}

const hungThreads = new Set<Worker>();

/** Whether a thread hangs in native code: the process cannot end but by being killed. */
export const hasHungThread = (): boolean => hungThreads.size > 0;

/** One worker thread with the sessions of an engine; it does one thing at a time. */
export class EngineThread {
  readonly #worker: Worker;
  readonly #events: ThreadEvents;
  #sent: Sent | undefined;
  #nextId = 1;
  #isOver = false;

  constructor(module: URL, events: ThreadEvents) {
    this.#events = events;
    this.#worker = new Worker(module);
    this.#worker.on('message', (response: EngineResponse) => this.#settle(response));
    this.#worker.on('error', (cause) => this.#die('The engine thread ended unexpectedly', cause));
    this.#worker.on('exit', () => this.#die('The engine thread ended unexpectedly'));
  }

  get isBusy(): boolean {
    return this.#sent !== undefined;
  }

  /** To be called when it is not busy. @param limitMs after which it is taken to hang. */
  send(request: Unsent, answer: Answer, limitMs: number): void {
    const id = this.#nextId++;
    const timer = setTimeout(() => this.#giveUp(), limitMs);
    this.#sent = { ...answer, id, request, timer };
    const transfer = request.type === 'run' ? transferList(request.feeds) : [];
    this.#worker.postMessage({ ...request, id }, transfer);
  }

  async end(): Promise<void> {
    this.#isOver = true;
    await this.#worker.terminate();
  }

  /** A lost GPU counts as a crash: only a new thread can tell whether it comes back. */
  #settle(response: EngineResponse): void {
    if (hungThreads.has(this.#worker)) void this.#worker.terminate(); // It has come back after all.
    if (this.#isOver || response.id !== this.#sent?.id) return;
    const failure = response.outcome === 'failed' ? unpackFailure(response.error) : undefined;
    if (failure instanceof SttError && failure.code === 'ENGINE_CRASHED') {
      void this.#worker.terminate();
      this.#die('The engine thread ended unexpectedly', failure);
      return;
    }
    const { request, resolve, reject, timer } = this.#sent;
    clearTimeout(timer);
    this.#sent = undefined;
    if (response.outcome === 'failed') reject(failure);
    else {
      const { loadTimes, outputs } = response;
      if (loadTimes && request.type === 'load') this.#events.onLoad(request.session, loadTimes);
      resolve(outputs);
    }
    this.#events.onFree();
  }

  /**
   * Native code cannot be interrupted, and the runtime's binding brings the process down if its thread
   * is ended meanwhile: it is left behind, and ended if it ever answers.
   */
  #giveUp(): void {
    hungThreads.add(this.#worker);
    this.#worker.once('exit', () => hungThreads.delete(this.#worker));
    this.#die('A run of the engine took longer than its limit');
  }

  #die(what: string, cause?: unknown): void {
    if (this.#isOver) return;
    this.#isOver = true;
    const crash = new SttError('ENGINE_CRASHED', what, { cause });
    clearTimeout(this.#sent?.timer);
    this.#events.onDeath(crash);
    this.#sent?.reject(crash);
  }
}
