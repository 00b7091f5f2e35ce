import type { Upload } from '../jobs/contracts.ts';

/** A recording that a worker can fetch for a while. */
export interface SharedAudio {
  readonly url: string;
  /** Never throws: false when it may still be there. */
  remove(): Promise<boolean>;
}

/** Where recordings go that are too large to travel inside a job. */
export interface AudioStore {
  /** @throws {SttError} HANDOVER_FAILED; and the signal's reason. */
  share(recording: Upload, validMs: number, signal: AbortSignal): Promise<SharedAudio>;
}
