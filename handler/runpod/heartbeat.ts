import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import type { Logger } from '../../core/logger.ts';
import type { PlatformHeaders } from './api-client.ts';

/** Everything the thread needs; copied to it once. */
export interface HeartbeatSettings {
  readonly pingBase: string;
  readonly headers: PlatformHeaders;
  readonly protocolVersion: string;
  readonly intervalMs: number;
  readonly retryMs: readonly number[];
}

const RESTART_MS = 1000;

/** Tells the platform that this worker lives and which jobs it holds, from a thread of its own. */
export class Heartbeat {
  readonly #settings: HeartbeatSettings;
  readonly #logger: Logger;
  #thread: Worker;
  #jobIds: readonly string[] = [];
  #restartTimer: NodeJS.Timeout | undefined;
  #isStopped = false;

  constructor(settings: HeartbeatSettings, logger: Logger) {
    this.#settings = settings;
    this.#logger = logger;
    this.#thread = this.#start();
  }

  setJobs(jobIds: readonly string[]): void {
    this.#jobIds = jobIds;
    this.#thread.postMessage(jobIds);
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    clearTimeout(this.#restartTimer);
    await this.#thread.terminate();
  }

  #start(): Worker {
    const thread = startThread(this.#settings);
    thread.postMessage(this.#jobIds);
    thread.on('message', ({ status }: { status?: number }) => {
      this.#logger.warn({ status }, 'heartbeat failed');
    });
    thread.on('error', (error) => this.#logger.error({ err: error }, 'heartbeat thread failed'));
    thread.on('exit', () => {
      if (this.#isStopped) return;
      this.#restartTimer = setTimeout(() => {
        this.#thread = this.#start();
      }, RESTART_MS);
    });
    return thread;
  }
}

/**
 * Where Node runs TypeScript by itself, the file; else a line that first loads `tsx`:
 * Node 20 does not hand the main thread's loader to the entry of a thread.
 */
function startThread(settings: HeartbeatSettings): Worker {
  const file = new URL('./heartbeat-thread.ts', import.meta.url);
  if (Reflect.get(process.features, 'typescript'))
    return new Worker(file, { workerData: settings });
  const modules = [new URL(import.meta.resolve('tsx/cjs')), file].map((url) => fileURLToPath(url));
  const source = modules.map((path) => `require(${JSON.stringify(path)});`).join('');
  return new Worker(source, { eval: true, execArgv: [], workerData: settings });
}
