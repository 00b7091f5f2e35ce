import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type QueuedJob, type QueueOptions, RunpodQueue } from './runpod-queue.ts';

const ENDPOINT_ID = 'ep1';
const CLIENT_KEY = 'client-key';
const WORKER_KEY = 'worker-key';
const POLL_MS = 5000;
const IDLE_WORKER_MS = 3000;

interface Answer {
  readonly status: number;
  readonly body?: unknown;
}

type Request = {
  readonly query: URLSearchParams;
  readonly body: Readonly<Record<string, unknown>>;
  /** Whether the asker has left, killed perhaps: then it must not be given a job. */
  readonly isGone: () => boolean;
};

/**
 * A RunPod endpoint on 127.0.0.1: the API of clients and that of workers around one queue, so that
 * real workers answer real clients.
 */
export class RunpodEndpoint {
  readonly queue: RunpodQueue;
  /** `METHOD path` of every client's request, without job ids. */
  readonly clientCalls: string[] = [];
  readonly #server = createServer((request, response) => {
    this.#serve(request, response).catch(() => response.destroy());
  });
  readonly #workers = new Map<string, number>();
  #isDown = false;

  static async start(options: QueueOptions = {}): Promise<RunpodEndpoint> {
    const endpoint = new RunpodEndpoint(options);
    await new Promise<void>((resolve) => endpoint.#server.listen(0, '127.0.0.1', resolve));
    return endpoint;
  }

  private constructor(options: QueueOptions) {
    this.queue = new RunpodQueue(options);
  }

  /** What a client needs; `GATEWAY_BASE_URL` and the like. */
  get address() {
    return { endpointId: ENDPOINT_ID, apiKey: CLIENT_KEY, baseUrl: `${this.#origin}/v2` };
  }

  /** What the platform would put into a worker's environment. */
  workerEnvironment(workerId: string): Record<string, string> {
    const base = `${this.#origin}/v2/${ENDPOINT_ID}`;
    return {
      RUNPOD_WEBHOOK_GET_JOB: `${base}/job-take/$ID?gpu=NVIDIA+RTX+A5000`,
      RUNPOD_WEBHOOK_POST_OUTPUT: `${base}/job-done/$RUNPOD_POD_ID/$ID?gpu=NVIDIA+RTX+A5000`,
      RUNPOD_WEBHOOK_PING: `${base}/ping/$RUNPOD_POD_ID?gpu=NVIDIA+RTX+A5000`,
      RUNPOD_AI_API_KEY: WORKER_KEY,
      RUNPOD_ENDPOINT_ID: ENDPOINT_ID,
      RUNPOD_POD_ID: workerId,
    };
  }

  /** From now on every client's request fails with 503, or works again. */
  setDown(isDown: boolean): void {
    this.#isDown = isDown;
  }

  async close(): Promise<void> {
    this.queue.close();
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  get #origin(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '', this.#origin);
    const [, version, endpointId, call = '', ...ids] = url.pathname.split('/');
    const text = await readAll(request);
    const asked = {
      query: url.searchParams,
      body: text === '' ? {} : JSON.parse(text),
      isGone: () => response.destroyed,
    };
    const isWorker = call.startsWith('job-') || call === 'ping';
    if (!isWorker) this.clientCalls.push(`${request.method} ${call}`);
    const isKnown = version === 'v2' && endpointId === ENDPOINT_ID;
    const isAllowed =
      request.headers.authorization === (isWorker ? WORKER_KEY : `Bearer ${CLIENT_KEY}`);
    let answer: Answer = { status: 404 };
    if (isKnown && !isAllowed) answer = { status: 401 };
    else if (isWorker) answer = await this.#answerWorker(call, ids, asked);
    else if (this.#isDown) answer = { status: 503 };
    else if (isKnown) answer = await this.#answerClient(call, ids[0] ?? '', asked);
    response.writeHead(answer.status, { 'content-type': 'application/json' });
    response.end(answer.body === undefined ? '' : JSON.stringify(answer.body));
  }

  async #answerClient(call: string, jobId: string, { query, body }: Request): Promise<Answer> {
    switch (call) {
      case 'run':
        return viewOf(this.queue.add(body['input'], policyOf(body)));
      case 'runsync': {
        const job = this.queue.add(body['input'], policyOf(body), 'sync-');
        await this.#ended(job, Number(query.get('wait')));
        return viewOf(job);
      }
      case 'status':
        return viewOf(this.queue.jobs.get(jobId));
      case 'status-sync': {
        const job = this.queue.jobs.get(jobId);
        if (job !== undefined) await this.#ended(job, Number(query.get('wait')));
        return viewOf(job);
      }
      case 'cancel':
        return viewOf(this.queue.cancel(jobId));
      case 'health':
        return { status: 200, body: this.#health() };
      default:
        return { status: 404 };
    }
  }

  async #answerWorker(call: string, [workerId = '', jobId = '']: string[], asked: Request) {
    this.#workers.set(workerId, performance.now());
    switch (call) {
      case 'job-take':
      case 'job-take-batch': {
        await this.queue.until(() => asked.isGone() || this.queue.count('IN_QUEUE') > 0, POLL_MS);
        if (asked.isGone()) return { status: 204 };
        const count = Number(asked.query.get('batch_size') ?? 1);
        const jobs = this.queue.take(workerId, count).map(({ id, input }) => ({ id, input }));
        if (jobs.length === 0) return { status: 204 };
        return { status: 200, body: call === 'job-take' ? jobs[0] : jobs };
      }
      case 'job-done':
        this.queue.post(workerId, jobId, asked.body);
        return { status: 200, body: {} };
      case 'job-stop': {
        let jobsToStop: string[] = [];
        await this.queue.until(() => {
          jobsToStop = this.queue.takeStops(workerId);
          return jobsToStop.length > 0;
        }, POLL_MS);
        return jobsToStop.length > 0 ? { status: 200, body: { jobsToStop } } : { status: 204 };
      }
      default: {
        const jobIds = asked.query.get('job_id');
        if (jobIds !== null) this.queue.heardOf(jobIds.split(','));
        return { status: 200 };
      }
    }
  }

  #ended({ id }: QueuedJob, waitMs: number): Promise<boolean> {
    return this.queue.until(() => (this.queue.jobs.get(id)?.endedAt ?? 1) > 0, waitMs);
  }

  #health() {
    const alive = [...this.#workers.values()].filter(
      (at) => performance.now() - at < IDLE_WORKER_MS,
    ).length;
    const inProgress = this.queue.count('IN_PROGRESS');
    return {
      jobs: {
        completed: this.queue.count('COMPLETED'),
        failed: this.queue.count('FAILED'),
        inProgress,
        inQueue: this.queue.count('IN_QUEUE'),
        retried: 0,
      },
      workers: {
        idle: Math.max(0, alive - inProgress),
        initializing: 0,
        ready: alive,
        running: Math.min(alive, inProgress),
        throttled: 0,
        unhealthy: 0,
      },
    };
  }
}

const policyOf = (body: Request['body']): QueuedJob['policy'] =>
  (body['policy'] ?? {}) as QueuedJob['policy'];

function viewOf(job: QueuedJob | undefined): Answer {
  if (job === undefined) return { status: 404 };
  const { id, status, output, error, retries, workerId, startedAt, endedAt, createdAt } = job;
  const executionTime = endedAt > 0 && startedAt > 0 ? Math.round(endedAt - startedAt) : undefined;
  const delayTime = startedAt > 0 ? Math.round(startedAt - createdAt) : undefined;
  return {
    status: 200,
    body: {
      id,
      status,
      output,
      error,
      workerId,
      delayTime,
      executionTime,
      retries: retries || undefined,
    },
  };
}

async function readAll(request: IncomingMessage): Promise<string> {
  const pieces: Buffer[] = [];
  for await (const piece of request) pieces.push(piece);
  return Buffer.concat(pieces).toString('utf8');
}
