import type { ErrorCode } from '../../core/errors.ts';
import type { VoiceActivityModel } from '../../pipeline/contracts.ts';
import type { LiveOptions } from '../../pipeline/realtime/session-state.ts';
import type { AudioUsage, LiveMeter, WindowRecognizer } from './contracts.ts';
import type { LiveWireEvent } from './live-events.ts';
import type { SessionAudio } from './session-audio.ts';
import type { NumberedEvent, SessionStore } from './session-store.ts';
import type { WindowTiming } from './window-caller.ts';

export interface LiveHostPorts {
  readonly recognizer: WindowRecognizer;
  readonly voiceActivity: VoiceActivityModel;
  readonly audio: SessionAudio;
  readonly store: SessionStore;
  readonly live?: LiveOptions | undefined;
  readonly timing?: WindowTiming | undefined;
  readonly usage?: AudioUsage | undefined;
  readonly meter?: LiveMeter | undefined;
}

/** Whoever listens to a session; hears everything in order. */
export interface SessionListener {
  onEvent(event: LiveWireEvent | NumberedEvent): void;
  /** The audio up to this piece is safe and need not be sent again. */
  onAcknowledged(chunkSeq: number, sampleCount: number): void;
  /** Something fails and is tried again; nothing is lost. Told once for each time. */
  onDelayed(code: ErrorCode): void;
  /** Somebody else listens from now on. */
  onReplaced(): void;
}
