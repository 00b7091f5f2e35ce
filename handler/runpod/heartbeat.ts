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
    const file = new URL('./heartbeat-thread.ts', import.meta.url);
    const thread = new Worker(file, { workerData: this.#settings });
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
