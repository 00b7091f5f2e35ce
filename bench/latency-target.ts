import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Program, startProgram } from '../tests/fakes/program.ts';
import { RunpodEndpoint } from '../tests/fakes/runpod-endpoint.ts';
import { endService, startLoadedService } from './load-service.ts';

const PORT = 18_431;
/** A worker that has not named its job for so long has died: generous, as the machine is full. */
const LOST_AFTER_MS = 20_000;

/** What live sessions are played into. */
export interface LatencyTarget {
  readonly name: string;
  readonly url: string;
  /** Right before a round of sessions begins: whoever recognises may have to start anew. */
  prepare(): Promise<void>;
  close(): Promise<void>;
}

/** One process with the engine in it. @param model `WHISPER_MODEL`; empty: the default. */
export async function startServer(model: string): Promise<LatencyTarget> {
  const dataDir = await mkdtemp(join(tmpdir(), 'stt-latency-'));
  const service = await startLoadedService(PORT, { DATA_DIR: dataDir, WHISPER_MODEL: model });
  return {
    name: 'server',
    url: service.url,
    prepare: async () => {},
    close: async () => {
      await endService(service, 'SIGTERM');
      await rm(dataDir, { recursive: true });
    },
  };
}

export interface GatewayOptions {
  /** `WHISPER_MODEL` of the workers; empty: the default. */
  readonly model: string;
  readonly workers: number;
  /** Above 0: each round begins without workers, and they start so long after its first audio. */
  readonly coldStartSec: number;
}

/** The real gateway, a stand-in of RunPod's queue, and real worker processes. */
export async function startGateway({
  model,
  workers: count,
  coldStartSec,
}: GatewayOptions): Promise<LatencyTarget> {
  const folder = await mkdtemp(join(tmpdir(), 'stt-latency-'));
  const endpoint = await RunpodEndpoint.start({ lostAfterMs: LOST_AFTER_MS });
  const workers = new Workers(endpoint, join(folder, 'workers'), model);
  const { endpointId, apiKey, baseUrl } = endpoint.address;
  const gateway = await startLoadedService(PORT, {
    GATEWAY_ENDPOINT_ID: endpointId,
    GATEWAY_API_KEY: apiKey,
    GATEWAY_BASE_URL: baseUrl,
    DATA_DIR: join(folder, 'data'),
    SPOOL_DIR: join(folder, 'spool'),
  });
  workers.start(count);
  const cold = coldStartSec > 0 ? `, cold for ${coldStartSec} s and their own start` : '';
  return {
    name: `gateway, ${count} worker(s)${cold}`,
    url: gateway.url,
    prepare: async () => {
      if (coldStartSec === 0) return;
      await workers.end();
      void sleep(1000 * coldStartSec).then(() => workers.start(count));
    },
    close: async () => {
      await endService(gateway, 'SIGTERM');
      await workers.end();
      await endpoint.close();
      await rm(folder, { recursive: true });
    },
  };
}

class Workers {
  readonly #endpoint: RunpodEndpoint;
  readonly #spoolDir: string;
  readonly #model: string;
  #programs: Program[] = [];
  #started = 0;

  constructor(endpoint: RunpodEndpoint, spoolDir: string, model: string) {
    this.#endpoint = endpoint;
    this.#spoolDir = spoolDir;
    this.#model = model;
  }

  start(count: number): void {
    for (let worker = 0; worker < count; worker++) {
      const env = {
        ...this.#endpoint.workerEnvironment(`worker${++this.#started}`),
        RUNPOD_PING_INTERVAL: '500',
        RUNPOD_SKIP_AUTO_SYSTEM_CHECKS: 'true',
        LOG_LEVEL: 'error',
        SPOOL_DIR: this.#spoolDir,
        WHISPER_MODEL: this.#model,
      };
      this.#programs.push(startProgram([], { env }));
    }
  }

  async end(): Promise<void> {
    const ending = this.#programs.splice(0).map(async ({ child }) => {
      if (child.exitCode !== null) return;
      const ended = once(child, 'exit');
      child.kill('SIGTERM');
      await ended;
    });
    await Promise.all(ending);
  }
}
