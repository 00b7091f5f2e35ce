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
});
export type JobAnswer = z.output<typeof JobAnswer>;

/** A request that got no usable answer; `httpStatus` is undefined when it got none at all. */
export class RequestError extends Error {
  override readonly name = 'RequestError';
  readonly httpStatus: number | undefined;

  constructor(httpStatus: number | undefined, options?: ErrorOptions) {
    super(`Request failed with status ${httpStatus ?? 'unknown'}`, options);
    this.httpStatus = httpStatus;
  }

  toSttError(): SttError {
    return requestFailure(this.httpStatus, this);
  }
}

export interface EndpointAddress {
  readonly endpointId: string;
  readonly apiKey: string;
  /** RunPod unless set. */
  readonly baseUrl?: string;
}

/** A RunPod endpoint; only the calls of the SDK that print nothing. */
export class Endpoint {
  readonly #endpoint;

  constructor({ endpointId, apiKey, baseUrl }: EndpointAddress) {
    const sdk = baseUrl === undefined ? runpodSdk(apiKey) : runpodSdk(apiKey, { baseUrl });
    const endpoint = sdk.endpoint(endpointId);
    if (endpoint === null) throw new SttError('INPUT_INVALID', 'An endpoint needs an ID');
    this.#endpoint = endpoint;
  }

  /** @throws {RequestError} */
  run(input: unknown): Promise<JobAnswer> {
    return ask(this.#endpoint.run({ input }, RUN_TIMEOUT_MS));
  }

  /** @throws {RequestError} */
  status(jobId: string): Promise<JobAnswer> {
    return ask(this.#endpoint.status(jobId, REQUEST_TIMEOUT_MS));
  }

  /** @throws {RequestError} */
  cancel(jobId: string): Promise<JobAnswer> {
    return ask(this.#endpoint.cancel(jobId, REQUEST_TIMEOUT_MS));
  }
}

/** The SDK throws for some failed requests and answers `{ status: number }` for others. */
async function ask(request: Promise<unknown>): Promise<JobAnswer> {
  let answer: unknown;
  try {
    answer = await request;
  } catch (thrown) {
    throw new RequestError(ThrownWithResponse.safeParse(thrown).data?.response.status, {
      cause: thrown,
    });
  }
  const parsed = JobAnswer.safeParse(answer);
  if (parsed.success) return parsed.data;
  throw new RequestError(Refused.safeParse(answer).data?.status);
}

const ThrownWithResponse = z.object({ response: z.object({ status: z.number() }) });
const Refused = z.object({ status: z.number() });
