import { SttError } from '../../core/errors.ts';

/** Why a run is stopped whose job another process, or another run of this one, goes on with. */
export class TakenOver extends SttError {
  constructor() {
    super('JOB_CANCELLED', 'The job was taken over');
  }
}

/** Whether somebody else will look after what the run has begun elsewhere. */
export const isContinued = (reason: unknown): boolean =>
  reason instanceof TakenOver || (reason instanceof SttError && reason.code === 'SHUTTING_DOWN');
