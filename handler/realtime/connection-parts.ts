import type { Logger } from '../../core/logger.ts';
import type { RealtimeCaller } from './contracts.ts';
import type { LiveSessions } from './live-sessions.ts';

export interface ConnectionLimits {
  /** A client that has not started a session by then is sent away. */
  readonly startSec: number;
  /** A session without audio, unless it is paused, ends. */
  readonly idleSec: number;
  readonly maxSessionSec: number;
  /** Audio that may be ahead of its text before no more is read from the socket. */
  readonly maxLagSec: number;
}

export const DEFAULT_CONNECTION_LIMITS: ConnectionLimits = {
  startSec: 10,
  idleSec: 60,
  maxSessionSec: 4 * 3600,
  maxLagSec: 120,
};

/** What a connection needs of its socket. */
export interface Wire {
  send(text: string): void;
  close(code: number, reason: string): void;
  /** No more is read until `resume`. */
  pause(): void;
  resume(): void;
}

export interface ConnectionParts {
  readonly sessions: LiveSessions;
  readonly limits: ConnectionLimits;
  readonly logger: Logger;
  /** Known by a header or by the URL, or else asked of the first message. */
  readonly caller: RealtimeCaller | undefined;
  identify(credential: string | undefined): RealtimeCaller | undefined;
}
