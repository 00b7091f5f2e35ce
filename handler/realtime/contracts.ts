import type { SampleRange } from '../../audio/time.ts';
import type { WindowResult } from '../../pipeline/realtime/session-state.ts';

/** One window of one session, for whoever recognises it; asking again with the same is harmless. */
export interface SessionWindow extends SampleRange {
  readonly sessionId: string;
  /** Rises with every recovery of the session: answers to an older epoch are void. */
  readonly epoch: number;
  readonly seq: number;
  /** Its samples, `end - start`. */
  readonly waveform: Float32Array<ArrayBuffer>;
  readonly language: string | null;
  readonly prompt: string;
  readonly isLast: boolean;
  readonly tenant: string | null;
}

/** Recognises windows: the engine of this process, or a pool of workers. */
export interface WindowRecognizer {
  /** @throws {SttError} a `retryable` one is worth asking again for. */
  recognize(window: SessionWindow, signal: AbortSignal): Promise<WindowResult>;
}
