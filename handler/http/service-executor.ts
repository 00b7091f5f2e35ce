import { SttError } from '../../core/errors.ts';
import type { ExecutionContext, JobExecutor, ServiceJob } from '../jobs/contracts.ts';
import type { JobOutput } from '../run-job.ts';
import type { Admission } from '../tenants/admission.ts';
import type { EngineSlot } from './engine-slot.ts';
import type { JobGate } from './job-gate.ts';
import type { ServiceMetrics } from './metrics.ts';

export interface ServiceExecutorParts {
  readonly slot: EngineSlot;
  readonly gate: JobGate;
  readonly admission: Admission;
  readonly metrics: ServiceMetrics;
}

/** Runs every job of the service, waited for or not: in turn, on the engine, and counted. */
export class ServiceExecutor implements JobExecutor {
  readonly #parts: ServiceExecutorParts;

  constructor(parts: ServiceExecutorParts) {
    this.#parts = parts;
  }

  async execute(job: ServiceJob, context: ExecutionContext): Promise<JobOutput> {
    const startedAt = performance.now();
    const output = await this.#executeInTurn(job, context);
    this.#count(job, output, (performance.now() - startedAt) / 1000);
    return output;
  }

  async #executeInTurn(job: ServiceJob, context: ExecutionContext): Promise<JobOutput> {
    const { gate, slot } = this.#parts;
    try {
      const leave = await gate.enter(job.tenant, context.signal);
      try {
        const engine = await slot.ready(context.signal);
        return await engine.executor.execute(job, context);
      } finally {
        leave();
      }
    } catch (thrown) {
      return { error: SttError.from(thrown).toJSON() };
    }
  }

  #count({ tenant }: ServiceJob, output: JobOutput, elapsedSec: number): void {
    const { admission, metrics } = this.#parts;
    if ('error' in output) {
      metrics.countJob(tenant, { code: output.error.code, elapsedSec });
      return;
    }
    const { audio_duration: audioSec } = output;
    admission.countAudio(tenant, audioSec);
    metrics.countJob(tenant, { code: null, elapsedSec, audioSec });
  }
}
