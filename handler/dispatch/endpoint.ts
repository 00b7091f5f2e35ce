import runpodSdk from 'runpod-sdk';
import { z } from 'zod';
import { SttError } from '../../core/errors.ts';
import { requestFailure } from './remote-failure.ts';

/** The SDK's own 3 s are too short for a body of several megabytes. */
const RUN_TIMEOUT_MS = 120_000;
const REQUEST_TIMEOUT_MS = 15_000;

const JobAnswer = z.object({
  id: z.string(),
  status: z.string(),
  output: z.unknown().optional(),
  error: z.unknown().optional(),
  /** Milliseconds before a worker took the job, and that it worked on it. */
  delayTime: z.number().optional().catch(undefined),
  executionTime: z.number().optional().catch(undefined),
});
export type JobAnswer = z.output<typeof JobAnswer>;

const count = z.number().int().min(0).catch(0);
const EndpointHealth = z.object({
  jobs: z.object({ inQueue: count, inProgress: count, completed: count, failed: count }),
  workers: z.object({
    idle: count,
    initializing: count,
    ready: count,
    running: count,
    throttled: count,
    unhealthy: count,
  }),
});
/** What RunPod says of an endpoint's queue and workers. */
export type EndpointHealth = z.output<typeof EndpointHealth>;

/** Limits that RunPod itself keeps: of a job's whole life, and of its run. */
export interface ExecutionPolicy {
  readonly ttl: number;
  readonly executionTimeout: number;
}

/** A request that got no usable answer; `httpStatus` is undefined when it got none at all. */
export class RequestError extends Error {
  override readonly name = 'RequestError';
  readonly httpStatus: number | undefined;
  /** The request certainly had no effect: refused, or there was no connection to send it on. */
  readonly hadNoEffect: boolean;

  constructor(httpStatus: number | undefined, options?: ErrorOptions) {
    super(`Request failed with status ${httpStatus ?? 'unknown'}`, options);
    this.httpStatus = httpStatus;
    this.hadNoEffect = httpStatus === 429 || neverConnected(options?.cause);
  }

  toSttError(): SttError {
    return requestFailure(this.httpStatus, this);
  }
}

export interface EndpointAddress {
  readonly endpointId: string;
  readonly apiKey: string;
  /** RunPod unless set. */
  readonly baseUrl?: string | undefined;
}

/** A RunPod endpoint. */
export class Endpoint {
  readonly #endpoint;

  constructor({ endpointId, apiKey, baseUrl }: EndpointAddress) {
    const sdk = baseUrl === undefined ? runpodSdk(apiKey) : runpodSdk(apiKey, { baseUrl });
    const endpoint = sdk.endpoint(endpointId);
    if (endpoint === null) throw new SttError('INPUT_INVALID', 'An endpoint needs an ID');
    this.#endpoint = endpoint;
  }

  /** @throws {RequestError} */
  run(input: unknown, policy?: ExecutionPolicy): Promise<JobAnswer> {
    const payload = policy === undefined ? { input } : { input, policy };
    return ask(this.#endpoint.run(payload, RUN_TIMEOUT_MS), JobAnswer);
  }

  /**
   * Waits for the answer. The SDK writes a line to the console for a job that has not ended within
   * `waitMs`, so let `policy.ttl` end it before.
   * @throws {RequestError}
   */
  runSync(input: unknown, policy: ExecutionPolicy, waitMs: number): Promise<JobAnswer> {
    return ask(this.#endpoint.runSync({ input, policy }, waitMs), JobAnswer);
  }

  /** @throws {RequestError} */
  status(jobId: string): Promise<JobAnswer> {
    return ask(this.#endpoint.status(jobId, REQUEST_TIMEOUT_MS), JobAnswer);
  }

  /** @throws {RequestError} */
  cancel(jobId: string): Promise<JobAnswer> {
    return ask(this.#endpoint.cancel(jobId, REQUEST_TIMEOUT_MS), JobAnswer);
  }

  /** @throws {RequestError} */
  health(): Promise<EndpointHealth> {
    return ask(this.#endpoint.health(REQUEST_TIMEOUT_MS), EndpointHealth);
  }
}

/** The SDK throws for some failed requests and answers `{ status: number }` for others. */
async function ask<T>(request: Promise<unknown>, schema: z.ZodType<T>): Promise<T> {
  let answer: unknown;
  try {
    answer = await request;
  } catch (thrown) {
    throw new RequestError(ThrownWithResponse.safeParse(thrown).data?.response.status, {
      cause: thrown,
    });
  }
  const parsed = schema.safeParse(answer);
  if (parsed.success) return parsed.data;
  throw new RequestError(Refused.safeParse(answer).data?.status);
}

const ThrownWithResponse = z.object({ response: z.object({ status: z.number() }) });
const Refused = z.object({ status: z.number() });

const CONNECTION_FAILURES = ['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH'] as const;
const ThrownByFetch = z.object({ cause: z.object({ code: z.enum(CONNECTION_FAILURES) }) });

const neverConnected = (thrown: unknown): boolean => ThrownByFetch.safeParse(thrown).success;
