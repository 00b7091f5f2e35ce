import type { Upload } from '../jobs/contracts.ts';

/** A recording that a worker can fetch for a while. */
export interface SharedAudio {
  readonly url: string;
  /** Never throws: false when it may still be there. */
  remove(): Promise<boolean>;
}

/** Under which name a recording is shared, that of its job, and for how long. */
export interface ShareTerms {
  readonly name: string;
  readonly validMs: number;
}

/** Where recordings go that are too large to travel inside a job. */
export interface AudioStore {
  /** @throws {SttError} HANDOVER_FAILED; and the signal's reason. */
  share(recording: Upload, terms: ShareTerms, signal: AbortSignal): Promise<SharedAudio>;
  /** Takes up what was shared under that name before, perhaps by a process that is dead. */
  resume(recording: Upload, name: string): Pick<SharedAudio, 'remove'>;
}
