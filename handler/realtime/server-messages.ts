import { samplesToSec } from '../../audio/time.ts';
import type { ErrorCode, WireError } from '../../core/errors.ts';
import { spokenLanguage } from '../../core/languages.ts';
import { rounded } from '../wire-segment.ts';
import type { ConnectionLimits } from './connection-parts.ts';
import type { LiveWireEvent } from './live-events.ts';
import type { LiveHost } from './live-host.ts';

interface SessionDescription {
  readonly session_id: string;
  readonly meeting_id: string | null;
  readonly language: string | null;
  readonly epoch: number;
  /** Of the refined transcript, once the session has ended; null where none is made. */
  readonly job_id: string | null;
  readonly limits: {
    readonly idle_sec: number;
    readonly max_session_sec: number;
    readonly max_lag_sec: number;
    readonly max_speed: number;
  };
}

/** Everything that a client of `/stt/realtime` may hear. */
export type ServerMessage =
  | LiveWireEvent
  | (SessionDescription & { readonly type: 'session_started'; readonly resume_token: string })
  | (SessionDescription & { readonly type: 'session_resumed'; readonly last_seq: number })
  | { readonly type: 'audio_ack'; readonly seq: number; readonly audio_duration: number }
  | { readonly type: 'pong' | 'session_paused' | 'session_continued' | 'finalized' }
  | { readonly type: 'warning'; readonly code: 'SESSION_EXPIRING'; readonly seconds_left: number }
  | { readonly type: 'warning'; readonly code: 'CAPTIONS_DELAYED'; readonly cause: ErrorCode }
  | {
      readonly type: 'warning';
      readonly code: 'SAMPLE_RATE_IMPLAUSIBLE';
      readonly likely_sample_rate: number;
    }
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
      readonly job_id: string | null;
    }
  | {
      readonly type: 'transcript_refined';
      readonly job_id: string;
      readonly status: string;
      readonly result: unknown;
      readonly error: WireError | null;
    };

/** What a client has to know of its session. */
export const describeSession = (
  { identity, epoch }: Pick<LiveHost, 'identity' | 'epoch'>,
  limits: ConnectionLimits,
): SessionDescription => ({
  session_id: identity.sessionId,
  meeting_id: identity.meetingId,
  language: identity.language && (spokenLanguage(identity.language)?.code ?? null),
  epoch,
  job_id: identity.keepsAudio ? identity.key : null,
  limits: {
    idle_sec: limits.idleSec,
    max_session_sec: limits.maxSessionSec,
    max_lag_sec: limits.maxLagSec,
    max_speed: limits.maxSpeed,
  },
});

/** The samples have another rate than they are taken for. */
export const otherRate = (likely_sample_rate: number): ServerMessage => ({
  ...{ type: 'warning', code: 'SAMPLE_RATE_IMPLAUSIBLE', likely_sample_rate },
});

/** Samples as clients count them. */
export const secondsOf = (samples: number): number => rounded(samplesToSec(samples), 3);
