import { randomUUID } from 'node:crypto';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { SttError } from '../../core/errors.ts';
import type { ServiceJob, Upload } from '../jobs/contracts.ts';
import { parseJobInput } from '../schema.ts';
import { LimitExceeded } from '../tenants/limit-exceeded.ts';
import type { Caller } from '../tenants/tenant.ts';
import { assertDecodeCost, toTranscribeOptions } from '../transcribe-options.ts';
import type { ServiceContext } from './service-context.ts';

/** How long models take to load is unknown; asking this often costs nothing. */
const RETRY_LOADING_SEC = 5;
const UPLOADED = 'upload';
const MEBIBYTE = 1024 * 1024;

/** One request with a recording: what ends it, and what it holds. */
export interface HeldRequest {
  /** Aborted when the client goes away or the service stops. */
  readonly signal: AbortSignal;
  /** Gives up the room that was kept for it, to take a place among those at work. */
  enter(): void;
  /** Before the answer is sent: whoever reads it may come again at once. May be called again. */
  leave(): void;
}

declare module 'fastify' {
  interface FastifyRequest {
    held: HeldRequest | null;
  }
}

/** A hook that takes requests for jobs in, before their bodies are read. */
export function holdingRequests(
  context: ServiceContext,
  isAsync: (request: FastifyRequest) => boolean,
) {
  return async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    request.held = holdRequest(request, reply, context, isAsync(request));
  };
}

export function heldOf({ held }: FastifyRequest): HeldRequest {
  if (held === null) throw new SttError('INTERNAL', 'A request came in without its hook');
  return held;
}

/**
 * `isAsync`: it is not waited for, and so may be accepted while the models are loading.
 * @throws {SttError} MODEL_LOADING, SHUTTING_DOWN, SERVICE_BUSY, CONCURRENCY_LIMITED, QUOTA_EXCEEDED
 */
function holdRequest(
  { caller }: FastifyRequest,
  reply: FastifyReply,
  { slot, admission, gate, work }: ServiceContext,
  isAsync: boolean,
): HeldRequest {
  assertPhase(slot, isAsync);
  const release = admission.holdRequest(caller, isAsync);
  let enter = (): void => undefined;
  try {
    if (!isAsync) enter = gate.reserve();
  } catch (thrown) {
    release();
    throw thrown;
  }
  const { abort, end } = work.begin();
  const leave = (): void => {
    enter();
    release();
  };
  const onEnd = (): void => {
    leave();
    end();
  };
  reply.raw.once('finish', onEnd);
  reply.raw.once('close', () => {
    if (!reply.raw.writableFinished) {
      abort.abort(new SttError('JOB_CANCELLED', 'The client closed the connection'));
    }
    onEnd();
  });
  return { signal: abort.signal, enter, leave };
}

function assertPhase({ phase }: ServiceContext['slot'], mayWait: boolean): void {
  switch (phase) {
    case 'ready':
      return;
    case 'loading':
      if (mayWait) return;
      throw new LimitExceeded('MODEL_LOADING', 'The models are being loaded', RETRY_LOADING_SEC);
    case 'draining':
      throw new SttError('SHUTTING_DOWN', 'The service is about to stop');
    case 'failed':
      throw new SttError('ENGINE_CRASHED', 'The engine has ended and the service will too');
  }
}

/**
 * A job for the caller's tenant, validated before it waits for anything.
 * @throws {SttError} INPUT_INVALID, DECODE_COST_EXCEEDED, TENANT_FORBIDDEN
 */
export function toServiceJob(
  rawInput: Readonly<Record<string, unknown>>,
  upload: Upload | null,
  { caller, config }: { readonly caller: Caller; readonly config: ServiceContext['config'] },
): ServiceJob {
  if (upload !== null && (rawInput['audio_url'] ?? rawInput['audio_base64'] ?? '') !== '') {
    throw new SttError('INPUT_INVALID', 'audio_url: two sources: a file was sent too');
  }
  const source = upload === null ? {} : { audio_url: UPLOADED, audio_base64: null };
  const parsed = parseJobInput({ ...rawInput, ...source });
  assertDecodeCost(toTranscribeOptions(parsed), config.maxDecodeCost);
  const { tenant_id, max_audio_mb } = parsed;
  const tenantId = tenantIdOf(tenant_id, caller);
  const asked = tenantId === null ? rawInput : { ...rawInput, tenant_id: tenantId };
  const input = { ...asked, ...limitOfSize(max_audio_mb, caller) };
  return { id: randomUUID(), tenant: caller.tenant?.id ?? null, input, upload };
}

/** A recording that is fetched is held to the tenant's limit too, wherever it is fetched. */
function limitOfSize(asked: number | null, { tenant }: Caller) {
  const maxBytes = tenant?.limits.maxUploadBytes;
  if (maxBytes === undefined) return {};
  return { max_audio_mb: Math.min(asked ?? Number.POSITIVE_INFINITY, maxBytes / MEBIBYTE) };
}

/** A tenant speaks for itself only; without keys the field is returned as it came. */
function tenantIdOf(given: string | null, { tenant }: Caller): string | null {
  if (tenant === null) return given;
  if (given === null || given === tenant.id) return tenant.id;
  throw new SttError('TENANT_FORBIDDEN', 'tenant_id is not the tenant of this API key');
}
