import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';

export type Channel = 'take' | 'done' | 'stop' | 'stream' | 'ping';

/** One scripted answer; `delay` in seconds, as in the recorded scenarios. */
export interface ScenarioStep {
  readonly status?: number;
  readonly delay?: number;
  readonly body?: unknown;
  readonly ctype?: string;
  readonly drop?: boolean;
  /** Holds the answer back until this is true; not in recorded scenarios. */
  readonly when?: (api: FakeRunpodApi) => boolean;
}

/** Answers per channel in their order; afterwards takes and stops are idle, the rest is accepted. */
export interface Scenario {
  readonly takes?: readonly ScenarioStep[];
  readonly done?: readonly ScenarioStep[];
  readonly stop?: readonly ScenarioStep[];
  readonly ping?: readonly ScenarioStep[];
  readonly stream?: readonly ScenarioStep[];
  readonly idle_delay?: number;
  readonly stop_delay?: number;
}

export interface RecordedRequest {
  readonly channel: Channel;
  readonly method: string;
  readonly url: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly atMs: number;
}

export interface FakeRunpodOptions {
  /** Multiplies every delay of the scenario. */
  readonly timeScale?: number;
  /** Holds takes and stop polls back until the first heartbeat, whose thread needs a moment to start. */
  readonly holdPollsUntilPing?: boolean;
}

const POD_ID = 'pod42';
const QUERY = '?gpu=NVIDIA+RTX+A5000';

/** A loopback stand-in of RunPod's worker-facing API: replays a scenario, records every request. */
export class FakeRunpodApi {
  readonly requests: RecordedRequest[] = [];
  /** Ids of the jobs whose take reply reached the worker whole. */
  readonly handedOut: string[] = [];
  readonly #server: Server;
  readonly #scenario: Scenario;
  readonly #script: Readonly<Record<Channel, ScenarioStep[]>>;
  readonly #options: FakeRunpodOptions;
  readonly #watchers = new Set<() => void>();
  readonly #startedAt = performance.now();

  static async start(
    scenario: Scenario = {},
    options: FakeRunpodOptions = {},
  ): Promise<FakeRunpodApi> {
    const api = new FakeRunpodApi(scenario, options);
    await new Promise<void>((resolve) => api.#server.listen(0, '127.0.0.1', resolve));
    return api;
  }

  private constructor(scenario: Scenario, options: FakeRunpodOptions) {
    this.#scenario = scenario;
    this.#options = options;
    this.#script = {
      take: [...(scenario.takes ?? [])],
      done: [...(scenario.done ?? [])],
      stop: [...(scenario.stop ?? [])],
      ping: [...(scenario.ping ?? [])],
      stream: [...(scenario.stream ?? [])],
    };
    this.#server = createServer((request, response) => {
      this.#answer(request, response).catch(() => response.destroy());
    });
  }

  get origin(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** What the platform would put into the worker's environment. */
  environment(): Record<string, string> {
    const base = `${this.origin}/v2/ep1`;
    return {
      RUNPOD_WEBHOOK_GET_JOB: `${base}/job-take/$ID${QUERY}`,
      RUNPOD_WEBHOOK_POST_OUTPUT: `${base}/job-done/$RUNPOD_POD_ID/$ID${QUERY}`,
      RUNPOD_WEBHOOK_POST_STREAM: `${base}/job-stream/$RUNPOD_POD_ID/$ID${QUERY}`,
      RUNPOD_WEBHOOK_PING: `${base}/ping/$RUNPOD_POD_ID${QUERY}`,
      RUNPOD_AI_API_KEY: 'KEY123',
      RUNPOD_ENDPOINT_ID: 'ep1',
      RUNPOD_POD_ID: POD_ID,
      RUNPOD_POD_HOSTNAME: 'pod42-host',
    };
  }

  on(channel: Channel): RecordedRequest[] {
    return this.requests.filter((request) => request.channel === channel);
  }

  /** The bodies posted for a job, parsed, progress updates included. */
  posted(jobId: string): unknown[] {
    return this.on('done')
      .filter(({ headers }) => headers['x-request-id'] === jobId)
      .map(({ body }) => JSON.parse(body));
  }

  /** Resolves once the condition holds; checked at every request and job handed out. */
  async until(condition: () => boolean): Promise<void> {
    if (condition()) return;
    await new Promise<void>((resolve) => {
      const watch = (): void => {
        if (!condition()) return;
        this.#watchers.delete(watch);
        resolve();
      };
      this.#watchers.add(watch);
    });
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const channel = channelOf(request.url ?? '');
    // The script is followed in order of arrival, before the body has been read.
    const step = this.#script[channel].shift() ?? this.#idleStep(channel);
    this.requests.push({
      channel,
      method: request.method ?? '',
      url: request.url ?? '',
      headers: Object.fromEntries(
        Object.entries(request.headers).map(([name, value]) => [name, String(value)]),
      ),
      body: await readAll(request),
      atMs: performance.now() - this.#startedAt,
    });
    this.#notify();
    if ((channel === 'take' || channel === 'stop') && this.#options.holdPollsUntilPing) {
      await this.until(() => this.on('ping').length > 0);
    }
    await this.until(() => step.when?.(this) ?? true);
    await wait((step.delay ?? 0) * 1000 * (this.#options.timeScale ?? 1));
    if (step.drop) response.destroy();
    else await this.#reply(channel, step, response);
  }

  async #reply(channel: Channel, step: ScenarioStep, response: ServerResponse): Promise<void> {
    if (response.destroyed) return;
    const status = step.status ?? (channel === 'take' || channel === 'stop' ? 204 : 200);
    const text = typeof step.body === 'string' ? step.body : JSON.stringify(step.body ?? '');
    response.writeHead(status, { 'Content-Type': step.ctype ?? 'application/json' });
    await new Promise<void>((resolve) => response.end(status === 204 ? '' : text, resolve));
    if (channel !== 'take' || status !== 200) return;
    for (const job of [step.body].flat()) {
      if (typeof job !== 'object' || job === null || !('id' in job)) continue;
      this.handedOut.push(String(job.id));
    }
    this.#notify();
  }

  #notify(): void {
    for (const watch of [...this.#watchers]) watch();
  }

  #idleStep(channel: Channel): ScenarioStep {
    if (channel === 'take') return { delay: this.#scenario.idle_delay ?? 0.5 };
    if (channel === 'stop') return { delay: this.#scenario.stop_delay ?? 2 };
    return {};
  }
}

function channelOf(url: string): Channel {
  if (url.includes('/job-take')) return 'take';
  if (url.includes('/job-done')) return 'done';
  if (url.includes('/job-stop')) return 'stop';
  return url.includes('/job-stream') ? 'stream' : 'ping';
}

async function readAll(request: IncomingMessage): Promise<string> {
  const pieces: Buffer[] = [];
  for await (const piece of request) pieces.push(piece);
  return Buffer.concat(pieces).toString('utf8');
}
