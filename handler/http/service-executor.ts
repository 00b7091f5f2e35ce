import { SttError } from '../../core/errors.ts';
import type { ExecutionContext, JobExecutor, ServiceJob } from '../jobs/contracts.ts';
import type { JobOutput } from '../run-job.ts';
import type { Admission } from '../tenants/admission.ts';
import { AudioMeter } from '../tenants/audio-meter.ts';
import type { EngineSlot } from './engine-slot.ts';
import type { JobGate } from './job-gate.ts';
import type { JobTimes } from './job-times.ts';
import type { ServiceMetrics } from './metrics.ts';

export interface ServiceExecutorParts {
  readonly slot: EngineSlot;
  readonly gate: JobGate;
  readonly admission: Admission;
  readonly metrics: ServiceMetrics;
  readonly times: JobTimes;
}

/** Runs every job of the service, waited for or not: in turn, on the engine, and counted. */
export class ServiceExecutor implements JobExecutor {
  readonly #parts: ServiceExecutorParts;

  constructor(parts: ServiceExecutorParts) {
    this.#parts = parts;
  }

  async execute(job: ServiceJob, context: ExecutionContext): Promise<JobOutput> {
    const { admission } = this.#parts;
    const startedAt = performance.now();
    const meter = new AudioMeter(admission, job.tenant, context.countedAudioSec ?? null);
    const output = await this.#executeInTurn(job, {
      ...context,
      onAudio: (audioSec) => {
        if (meter.count(audioSec)) context.onAudio?.(audioSec);
      },
    });
    if (!('error' in output)) meter.countAtEnd(output.audio_duration);
    else if (output.error.code !== 'JOB_CANCELLED') meter.giveBack();
    this.#tell(job, output, (performance.now() - startedAt) / 1000);
    return output;
  }

  async #executeInTurn(job: ServiceJob, context: ExecutionContext): Promise<JobOutput> {
    const { gate, slot, times } = this.#parts;
    const arrivedAt = performance.now();
    try {
      const leave = await gate.enter(job.tenant, context.signal);
      try {
        const engine = await slot.ready(context.signal);
        times.waited((context.queuedMs ?? 0) + performance.now() - arrivedAt);
        return await engine.executor.execute(job, context);
      } finally {
        leave();
      }
    } catch (thrown) {
      return { error: SttError.from(thrown).toJSON() };
    }
  }

  #tell({ tenant }: ServiceJob, output: JobOutput, elapsedSec: number): void {
    const { metrics, times } = this.#parts;
    if ('error' in output) {
      metrics.countJob(tenant, { code: output.error.code, elapsedSec });
      return;
    }
    const { audio_duration: audioSec, decoded_rows: decodedRows } = output;
    metrics.countJob(tenant, { code: null, elapsedSec, audioSec, decodedRows });
    times.stages(output.timings);
  }
}
