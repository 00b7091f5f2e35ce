import { SttError } from '../../core/errors.ts';
import type { Logger } from '../../core/logger.ts';
import type { ClientMessage } from './client-messages.ts';
import type { RealtimeCaller } from './contracts.ts';
import type { LiveSessions } from './live-sessions.ts';
import type { SessionManner } from './session-contracts.ts';

export interface ConnectionLimits {
  /** A client that has not started a session by then is sent away. */
  readonly startSec: number;
  /** A session without audio, unless it is paused, ends. */
  readonly idleSec: number;
  readonly maxSessionSec: number;
  /** Audio that may be ahead of its text before no more is read from the socket. */
  readonly maxLagSec: number;
  /** A session that is paused for so long ends. */
  readonly pausedSec: number;
  /** How much faster than it is spoken audio may come for long. */
  readonly maxSpeed: number;
  /** Audio that may come at once, as after a cut. */
  readonly burstSec: number;
  readonly messagesPerSec: number;
  /** How long a socket stays open for the refined transcript; its job goes on behind it. */
  readonly refinedSec: number;
}

export const DEFAULT_CONNECTION_LIMITS: ConnectionLimits = {
  startSec: 10,
  idleSec: 60,
  maxSessionSec: 4 * 3600,
  maxLagSec: 120,
  pausedSec: 3600,
  maxSpeed: 2,
  burstSec: 60,
  messagesPerSec: 200,
  refinedSec: 1800,
};

/** What is needed of a socket. */
export interface Wire<Message extends object = object> {
  send(message: Message): void;
  close(code: number, reason: string): void;
  /** No more is read until `resume`. */
  pause(): void;
  resume(): void;
}

/** What speaks with the client of a socket. */
export interface SocketSpeaker {
  receiveText(text: string): void;
  receiveAudio(bytes: Buffer): void;
  /** The socket is gone; 1006 or no code: perhaps without having heard the last of it. */
  closed(code?: number): void;
  /** The process stops. */
  restart(): void;
}

/** A live session as a speaker of another protocol uses it. */
export interface SessionLink extends Omit<SocketSpeaker, 'receiveText'> {
  receive(message: ClientMessage): void;
  /** The client is there, though it sends no audio. */
  keepAlive(): void;
}

export interface ConnectionParts {
  readonly sessions: LiveSessions;
  /** How sessions that are started here differ from others. */
  readonly manner?: SessionManner | undefined;
  readonly limits: ConnectionLimits;
  readonly logger: Logger;
  /** Known by a header or by the URL, or else asked of the first message. */
  readonly caller: RealtimeCaller | undefined;
  identify(credential: string | undefined): RealtimeCaller | undefined;
}

/** Who speaks, as the request or else the first message says. @throws {SttError} UNAUTHENTICATED */
export function callerOf(
  { caller, identify }: Pick<ConnectionParts, 'caller' | 'identify'>,
  credential: string | undefined,
): RealtimeCaller {
  const known = caller ?? identify(credential);
  if (known) return known;
  throw new SttError('UNAUTHENTICATED', 'An API key is required: in the header, or as token');
}
