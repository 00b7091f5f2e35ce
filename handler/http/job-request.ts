import { randomUUID } from 'node:crypto';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { SttError } from '../../core/errors.ts';
import type { ServiceJob, Upload } from '../jobs/contracts.ts';
import { parseJobInput } from '../schema.ts';
import { LimitExceeded } from '../tenants/admission.ts';
import type { Caller } from '../tenants/tenant.ts';
import type { ServiceContext } from './service-context.ts';

/** How long models take to load is unknown; asking this often costs nothing. */
const RETRY_LOADING_SEC = 5;
const UPLOADED = 'upload';

/** One request that is at work: what ends it, and what it holds. */
export interface HeldRequest {
  /** Aborted when the client goes away or the service stops. */
  readonly signal: AbortSignal;
  /** To be called once the answer is written or given up. */
  release(): void;
}

/**
 * Takes a request for a job in, before its body is read.
 * @param mayWait whether it may be accepted while the models are loading
 * @throws {SttError} MODEL_LOADING, SHUTTING_DOWN, SERVICE_BUSY, CONCURRENCY_LIMITED, QUOTA_EXCEEDED
 */
export function holdRequest(
  { caller }: FastifyRequest,
  reply: FastifyReply,
  context: ServiceContext,
  mayWait: boolean,
): HeldRequest {
  assertPhase(context, mayWait);
  context.gate.assertRoom();
  const releaseJob = context.admission.beginJob(caller);
  const { abort, end } = context.work.begin();
  const onClose = (): void => {
    if (reply.raw.writableFinished) return;
    abort.abort(new SttError('JOB_CANCELLED', 'The client closed the connection'));
  };
  reply.raw.once('close', onClose);
  return {
    signal: abort.signal,
    release: () => {
      reply.raw.off('close', onClose);
      releaseJob();
      end();
    },
  };
}

function assertPhase({ slot: { phase } }: ServiceContext, mayWait: boolean): void {
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
 * @throws {SttError} INPUT_INVALID, TENANT_FORBIDDEN
 */
export function toServiceJob(
  rawInput: Readonly<Record<string, unknown>>,
  upload: Upload | null,
  caller: Caller,
): ServiceJob {
  if (upload !== null && (rawInput['audio_url'] ?? rawInput['audio_base64'] ?? '') !== '') {
    throw new SttError('INPUT_INVALID', 'audio_url: two sources: a file was sent too');
  }
  const input = { ...rawInput, tenant_id: tenantIdOf(rawInput['tenant_id'], caller) };
  parseJobInput(upload === null ? input : { ...input, audio_url: UPLOADED, audio_base64: null });
  return { id: randomUUID(), tenant: caller.tenant?.id ?? null, input, upload };
}

/** A tenant speaks for itself only; without keys the field is returned as it came. */
function tenantIdOf(given: unknown, { tenant }: Caller): unknown {
  if (tenant === null) return given;
  if (given === undefined || given === null || given === '' || given === tenant.id) {
    return tenant.id;
  }
  throw new SttError('TENANT_FORBIDDEN', 'tenant_id is not the tenant of this API key');
}
