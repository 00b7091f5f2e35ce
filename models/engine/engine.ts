import { SttError } from '../../core/errors.ts';
import type { DeviceOptions, LoadTimes, NetworkSource, TensorMap } from './protocol.ts';
import { type QueuedRun, type RunPriority, RunQueue } from './run-queue.ts';
import './runtime-environment.ts';
import { type Answer, EngineThread, type Unsent } from './thread.ts';

export interface EngineOptions {
  readonly threadModule?: URL;
  /** A run that takes longer hangs: its thread is given up as if it had crashed. */
  readonly runLimitMs?: number;
  /** The same for loading a session: five times as long by default. */
  readonly loadLimitMs?: number;
  /** The thread has died, and a new one loads the sessions again. */
  readonly onRestart?: (error: SttError) => void;
  readonly onLoad?: (session: string, times: LoadTimes) => void;
}

/** The engine to oneself, for one batch that is chosen now. */
export interface EngineTurn {
  /** Other work came before it. */
  readonly hasWaited: boolean;
  run(session: string, feeds: TensorMap): Promise<TensorMap>;
  /** Lets the others go on. */
  end(): void;
}

interface Waiting extends QueuedRun {
  start(): void;
  fail(error: unknown): void;
}

interface Loaded {
  readonly source: NetworkSource;
  readonly device: DeviceOptions['device'];
}

const THREAD_MODULE = new URL('./engine-thread.ts', import.meta.url);
/** A thread may die once in the engine's life; a second death is a fault that must be seen. */
const MAX_RESTARTS = 1;
const DEFAULT_RUN_LIMIT_MS = 1_800_000;
/** A model may lie on a slow disk. */
const LOAD_LIMIT_RATIO = 5;

/** What a run counts as unless it says so: words wait for voice activity, speakers are found beside them. */
const USUAL_PRIORITY: Readonly<Record<NetworkSource['kind'], RunPriority>> = {
  whisper: 'file',
  wav2vec2: 'file',
  onnx: 'background',
  'silero-vad': 'file',
  'speaker-segmentation': 'background',
  'speaker-encoder': 'background',
};

/**
 * Inference in a worker thread, which starts when it is first needed: the caller's event loop stays
 * free while a model runs. One run at a time, the most urgent first, see `RunQueue`.
 *
 * A crash of the thread fails the run under way (ENGINE_CRASHED, retryable), starts a new thread once
 * and loads every session again; what waits goes on waiting. After a second crash every call fails and
 * `onFatal` is called.
 */
export class InferenceEngine {
  readonly #device: DeviceOptions;
  readonly #onFatal: (error: SttError) => void;
  readonly #options: EngineOptions;
  readonly #queue = new RunQueue<Waiting>();
  readonly #loaded = new Map<string, Loaded>();
  readonly #siblings: InferenceEngine[] = [];
  #thread: EngineThread | undefined;
  /** Who has the engine to itself; a new object for each turn. */
  #holder: object | undefined;
  #restarts = 0;
  #isClosed = false;
  #isOver = false;

  constructor(
    device: DeviceOptions,
    onFatal: (error: SttError) => void,
    options: EngineOptions = {},
  ) {
    this.#device = device;
    this.#onFatal = onFatal;
    this.#options = options;
  }

  get device(): DeviceOptions['device'] {
    return this.#device.device;
  }

  /**
   * Another thread of the same kind, closed with this one: what is loaded there keeps nobody waiting
   * here. Sessions and their weights are not shared; ONNX Runtime's binding for Node cannot.
   */
  sibling(): InferenceEngine {
    const engine = new InferenceEngine(this.#device, this.#onFatal, this.#options);
    this.#siblings.push(engine);
    return engine;
  }

  /**
   * @param device where this session runs, the engine's own device by default.
   * @throws {SttError} MODEL_*, DEVICE_UNAVAILABLE, GPU_OUT_OF_MEMORY, ENGINE_CRASHED.
   */
  async load(session: string, source: NetworkSource, device = this.device): Promise<void> {
    await this.#request(this.#loadRequest(session, { source, device }), 'realtime');
    this.#loaded.set(session, { source, device });
  }

  /**
   * Runs a session. The feeds' buffers are moved away and must not be used afterwards.
   * @param priority by the kind of network if left out.
   * @throws {SttError} GPU_OUT_OF_MEMORY, ENGINE_CRASHED, INTERNAL.
   */
  run(session: string, feeds: TensorMap, priority?: RunPriority): Promise<TensorMap> {
    const { source } = this.#loaded.get(session) ?? {};
    const usual = source === undefined ? 'file' : USUAL_PRIORITY[source.kind];
    return this.#request({ type: 'run', session, feeds }, priority ?? usual);
  }

  /**
   * Resolves when it is this caller's turn, and keeps the engine for it: what is to run need not be
   * known before.
   * @param priority asked whenever the engine becomes free.
   */
  turn(priority: () => RunPriority): Promise<EngineTurn> {
    const hasWaited = this.#isBusy || this.#queue.length > 0;
    return new Promise((resolve, reject) => {
      const start = (): void => resolve(this.#startTurn(priority, hasWaited));
      this.#enqueue({ priority, session: null, isChange: false, start, fail: reject });
    });
  }

  /** Releases one session; runs that were asked for before are finished first. */
  async unload(session: string): Promise<void> {
    this.#loaded.delete(session);
    await this.#request({ type: 'unload', session }, 'realtime');
  }

  /** Releases every session and ends the threads; what waits or is under way is finished first. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    const isIdle = this.#thread === undefined && this.#queue.length === 0;
    const released = isIdle ? undefined : this.#request({ type: 'close' }, 'background');
    this.#isClosed = true;
    const siblings = this.#siblings.map((sibling) => sibling.close());
    await Promise.all([...siblings, released?.catch(() => undefined)]);
    const thread = this.#thread;
    this.#thread = undefined;
    await thread?.end();
  }

  get #isBusy(): boolean {
    return this.#holder !== undefined || this.#thread?.isBusy === true;
  }

  #startTurn(priority: () => RunPriority, hasWaited: boolean): EngineTurn {
    const holder = {};
    this.#holder = holder;
    return {
      hasWaited,
      run: (session, feeds) =>
        this.#holder === holder && this.#thread?.isBusy !== true
          ? new Promise((resolve, reject) =>
              this.#send({ type: 'run', session, feeds }, { resolve, reject }),
            )
          : this.run(session, feeds, priority()), // The thread has been replaced: in line behind its loads.
      end: () => {
        if (this.#holder !== holder) return;
        this.#holder = undefined;
        this.#advance();
      },
    };
  }

  #loadRequest(session: string, { source, device }: Loaded): Unsent {
    return { type: 'load', session, source, device: { ...this.#device, device } };
  }

  #request(request: Unsent, priority: RunPriority): Promise<TensorMap> {
    return new Promise((resolve, reject) => {
      this.#enqueue(this.#waiting(request, priority, { resolve, reject }));
    });
  }

  #waiting(request: Unsent, priority: RunPriority, answer: Answer): Waiting {
    return {
      priority: () => priority,
      session: 'session' in request ? request.session : null,
      isChange: request.type !== 'run',
      start: () => this.#send(request, answer),
      fail: (error) => answer.reject(error),
    };
  }

  #enqueue(waiting: Waiting): void {
    if (this.#isClosed || this.#isOver) {
      waiting.fail(new SttError('ENGINE_CRASHED', 'The engine is not running'));
      return;
    }
    this.#queue.add(waiting);
    this.#advance();
  }

  #advance(): void {
    if (!this.#isBusy && !this.#isOver) this.#queue.take()?.start();
  }

  #send(request: Unsent, answer: Answer): void {
    this.#thread ??= this.#startThread();
    const { runLimitMs = DEFAULT_RUN_LIMIT_MS } = this.#options;
    const { loadLimitMs = LOAD_LIMIT_RATIO * runLimitMs } = this.#options;
    this.#thread.send(request, answer, request.type === 'load' ? loadLimitMs : runLimitMs);
  }

  #startThread(): EngineThread {
    const { threadModule = THREAD_MODULE, onLoad } = this.#options;
    return new EngineThread(threadModule, {
      onFree: () => this.#advance(),
      onDeath: (crash) => this.#recover(crash),
      onLoad: (session, times) => onLoad?.(session, times),
    });
  }

  #recover(crash: SttError): void {
    this.#thread = undefined;
    this.#holder = undefined;
    if (this.#isClosed || this.#restarts >= MAX_RESTARTS) {
      this.#end(crash);
      if (!this.#isClosed) this.#onFatal(crash);
      return;
    }
    this.#restarts += 1;
    this.#options.onRestart?.(crash);
    this.#queue.addFirst(
      [...this.#loaded].map(([session, loaded]) => this.#reload(session, loaded)),
    );
    this.#advance();
  }

  /** A session that does not come back is the end: runs on it would blame the jobs. */
  #reload(session: string, loaded: Loaded): Waiting {
    const giveUp = (cause: unknown): void => {
      const thread = this.#thread;
      if (this.#isOver || thread === undefined) return; // Crashed: that has been dealt with.
      this.#thread = undefined;
      void thread.end();
      this.#end(new SttError('ENGINE_CRASHED', 'The engine could not be restarted', { cause }));
      this.#onFatal(SttError.from(cause));
    };
    const answer = { resolve: () => {}, reject: giveUp };
    return this.#waiting(this.#loadRequest(session, loaded), 'realtime', answer);
  }

  /** Fails everything that waits, for good. */
  #end(crash: SttError): void {
    this.#isOver = true;
    for (const waiting of this.#queue.takeAll()) waiting.fail(crash);
  }
}
