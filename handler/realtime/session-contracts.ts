import type { SttError } from '../../core/errors.ts';
import type { Logger } from '../../core/logger.ts';
import type { ScriptChoice } from '../../pipeline/chinese-script.ts';
import type { SpeechRecognizer, VoiceActivityModel } from '../../pipeline/contracts.ts';
import type { LiveOptions } from '../../pipeline/realtime/session-state.ts';
import type {
  AudioFormat,
  AudioUsage,
  LiveMeter,
  Refinement,
  WindowRecognizer,
} from './contracts.ts';
import type { LiveHost } from './live-host.ts';
import type { SessionIntake } from './session-intake.ts';
import type { WindowTiming } from './window-caller.ts';

export interface LiveSessionsOptions {
  readonly recognizer: WindowRecognizer;
  /** What recognises the windows, where it is known before one is asked for. */
  readonly model?: Pick<SpeechRecognizer, 'modelName' | 'languages'> | undefined;
  readonly voiceActivity: VoiceActivityModel;
  readonly logger: Logger;
  /** Sessions stored there survive this process; without it they end with it. */
  readonly dataDir?: string | undefined;
  /** Other processes use that folder too. */
  readonly isShared?: boolean;
  readonly spoolDir?: string | undefined;
  readonly ffmpegPath?: string | undefined;
  /** What is made of a session's audio once it has ended; asked where the caller keeps audio. */
  readonly refinement?: Refinement | undefined;
  readonly usage?: AudioUsage | undefined;
  readonly meter?: LiveMeter | undefined;
  /** How long a session waits for its client to come back. */
  readonly resumeSec?: number;
  readonly maxSessions?: number;
  readonly live?: LiveOptions | undefined;
  readonly timing?: WindowTiming;
}

/** How a session differs from what it would be by default. */
export interface SessionManner {
  /** False: it ends with its socket, and nothing of it outlives the process. */
  readonly isResumable?: boolean;
  readonly live?: LiveOptions | undefined;
}

export interface StartOptions extends SessionManner {
  /** Chosen by the client, or null. */
  readonly sessionId: string | null;
  readonly meetingId: string | null;
  /** Tag of the given one. */
  readonly language: string | null;
  /** Tags of those that may be spoken; none: all that the model knows. */
  readonly languages?: readonly string[];
  /** Null: by the tags. */
  readonly chineseScript?: ScriptChoice;
  readonly format: AudioFormat;
  readonly webhookUrl?: string | null;
  /** Whether final words say who speaks; off by default. */
  readonly diarize?: boolean;
}

/** How a session has ended. */
export interface SessionOutcome {
  readonly reason: string;
  readonly error: SttError | null;
  /** Of the refined transcript; null where none is made. */
  readonly jobId: string | null;
}

/** A session as a connection uses it. */
export interface OpenSession {
  readonly host: LiveHost;
  readonly intake: SessionIntake;
  /** Rejects where the session cannot go on here; it may be resumed later. */
  readonly outcome: Promise<SessionOutcome>;
}
