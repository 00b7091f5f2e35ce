import type { StreamContainer } from '../../audio/ffmpeg-stream.ts';
import type { SampleRange } from '../../audio/time.ts';
import type { WireError } from '../../core/errors.ts';
import type { ScriptChoice } from '../../pipeline/chinese-script.ts';
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
  /** Codes that the detection chooses from; none: all. */
  readonly languages?: readonly string[];
  readonly prompt: string;
  readonly isLast: boolean;
  /** Whether its voice is wanted too. */
  readonly diarize?: boolean;
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
export interface EndedSession {
  /** Known to the client since the session began. */
  readonly jobId: string;
  readonly meetingId: string | null;
  readonly tenant: string | null;
  /** Tag of the given one. */
  readonly language: string | null;
  /** Tags of those that may be spoken; none: all. */
  readonly languages: readonly string[];
  /** Null: by the tags. */
  readonly chineseScript: ScriptChoice;
  readonly webhookUrl: string | null;
  /** 16 kHz mono WAV, the caller's to remove. */
  readonly path: string;
  readonly bytes: number;
}

/** How the job of an ended session came out. */
export interface RefinedTranscript {
  readonly status: string;
  readonly result: unknown;
  readonly error: WireError | null;
}

/** Makes the refined transcripts of sessions, as jobs that outlive the process. */
export interface Refinement {
  /** @throws {SttError} where no message about the job could be sent there. */
  checkWebhook(tenant: string | null, url: string): Promise<void>;
  /** What it is given is safe once it resolves; with the same session again it does nothing. */
  handOver(session: EndedSession): Promise<void>;
  /** Waits for the job; undefined for one that was deleted, and after the signal. */
  outcome(
    tenant: string | null,
    jobId: string,
    signal: AbortSignal,
  ): Promise<RefinedTranscript | undefined>;
}

/** The day's audio of tenants. */
export interface AudioUsage {
  /** @throws {SttError} QUOTA_EXCEEDED */
  assertLeft(tenant: string | null): void;
  count(tenant: string | null, audioSec: number, sessions: number): void;
}

/** Counts what live sessions do. */
export interface LiveMeter {
  window(outcome: 'recognised' | 'failed' | 'given-up', elapsedSec: number): void;
  /** From the arrival of a final word's last sample to the moment when it was told. */
  final(latencySec: number): void;
  gap(lengthSec: number): void;
  /** A client came back: after a cut, or to a session of an earlier process. */
  resumed(after: 'cut' | 'restart'): void;
  closed(code: number): void;
}

/** How a client sends its audio. */
export interface AudioFormat {
  /** `auto`: by the first bytes a container, else `pcm16`. */
  readonly encoding: 'auto' | 'pcm16' | 'float32' | StreamContainer;
  /** Of `pcm16` and `float32`. */
  readonly sampleRateHz: number;
}
