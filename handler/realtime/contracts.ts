import type { StreamContainer } from '../../audio/ffmpeg-stream.ts';
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

/** Who speaks in a session, as its credential says. */
export interface RealtimeCaller {
  /** Null where no keys are configured. */
  readonly tenant: string | null;
  /** Whether a session's audio may be kept until its refined transcript is made. */
  readonly keepsAudio: boolean;
  /** Sessions of the tenant at a time; unlimited by default. */
  readonly maxSessions?: number;
}

/** A session that has ended, with all its audio. */
interface EndedSession {
  readonly sessionId: string;
  readonly meetingId: string | null;
  readonly tenant: string | null;
  readonly language: string | null;
  /** 16 kHz mono WAV; to be read before the returned promise settles. */
  readonly wav: AsyncIterable<Uint8Array>;
}

/** Makes the refined transcript of a session, a job's result; its files are removed afterwards. */
export type RefineSession = (session: EndedSession) => Promise<unknown>;

/** How a client sends its audio. */
export interface AudioFormat {
  /** `auto`: by the first bytes a container, else `pcm16`. */
  readonly encoding: 'auto' | 'pcm16' | 'float32' | StreamContainer;
  /** Of `pcm16` and `float32`. */
  readonly sampleRateHz: number;
}
