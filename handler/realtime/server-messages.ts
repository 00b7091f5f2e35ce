import type { ErrorCode } from '../../core/errors.ts';
import type { LiveWireEvent } from './live-events.ts';

interface SessionDescription {
  readonly session_id: string;
  readonly meeting_id: string | null;
  readonly language: string | null;
  readonly epoch: number;
  readonly limits: {
    readonly idle_sec: number;
    readonly max_session_sec: number;
    readonly max_lag_sec: number;
  };
}

/** Everything that a client of `/stt/realtime` may hear. */
export type ServerMessage =
  | LiveWireEvent
  | (SessionDescription & { readonly type: 'session_started'; readonly resume_token: string })
  | (SessionDescription & { readonly type: 'session_resumed'; readonly last_seq: number })
  | { readonly type: 'audio_ack'; readonly seq: number; readonly audio_duration: number }
  | { readonly type: 'pong' | 'session_paused' | 'session_continued' | 'finalized' }
  | { readonly type: 'warning'; readonly code: string; readonly seconds_left: number }
  | {
      readonly type: 'error';
      readonly code: ErrorCode;
      readonly message: string;
      readonly retryable: boolean;
      readonly fatal: boolean;
    }
  | {
      readonly type: 'session_ended';
      readonly reason: string;
      readonly audio_duration: number;
      readonly refined: boolean;
    }
  | { readonly type: 'transcript_refined'; readonly result: unknown };
