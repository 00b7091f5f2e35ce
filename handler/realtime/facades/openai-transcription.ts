import { randomUUID } from 'node:crypto';
import { SttError } from '../../../core/errors.ts';
import { openAiErrorOf } from '../../http/openai/openai-errors.ts';
import { messageJsonOf } from '../client-messages.ts';
import { CLOSE_CODES } from '../close-codes.ts';
import type { SessionLink, SocketSpeaker, Wire } from '../connection-parts.ts';
import type { ServerMessage } from '../server-messages.ts';
import { liveOptionsOf } from './endpointing.ts';
import type { LinkToSession } from './facade-route.ts';
import { IncomingAudio } from './incoming-audio.ts';
import { CommittedTurns } from './openai-commits.ts';
import type { Item, ItemKeeper } from './openai-items.ts';
import { eventIdOf, type OpenAiMessage, parseOpenAiMessage } from './openai-messages.ts';
import {
  describeSettings,
  incomingFormatOf,
  pauseOf,
  type TranscriptionSettings,
  updatedSettings,
} from './openai-settings.ts';
import { DetectedTurns } from './openai-turns.ts';

const MIN_COMMIT_SEC = 0.1;

export interface OpenAiStart {
  readonly settings: TranscriptionSettings;
  /** The client speaks the shape before `session.type`. */
  readonly isLegacy: boolean;
  /** Without audio for so long, the client is sent away. */
  readonly idleSec: number;
}

/** A session's name, as OpenAI's look. */
export const newSessionId = (): string => `sess_${randomUUID().replaceAll('-', '')}`;

/** What a session is once its audio has begun. */
interface Running {
  readonly link: SessionLink;
  readonly audio: IncomingAudio;
  readonly items: ItemKeeper;
  appendedSec: number;
  committedSec: number;
}

/** OpenAI's realtime transcription on a live session, which begins with the first audio. */
export class OpenAiTranscription implements SocketSpeaker {
  readonly #wire: Wire;
  readonly #link: LinkToSession;
  readonly #sessionId = newSessionId();
  readonly #waiting: NodeJS.Timeout;
  #settings: TranscriptionSettings;
  #isLegacy: boolean;
  #running: Running | null = null;
  #lastItemId: string | null = null;

  constructor(wire: Wire, { settings, isLegacy, idleSec }: OpenAiStart, link: LinkToSession) {
    this.#wire = wire;
    this.#link = link;
    this.#settings = settings;
    this.#isLegacy = isLegacy;
    this.#waiting = setTimeout(() => wire.close(CLOSE_CODES.idle, 'idle'), idleSec * 1000).unref();
    this.#tellSession('created');
  }

  /** Audio in binary messages is a convenience; OpenAI's clients send base64. */
  receiveAudio(bytes: Buffer): void {
    try {
      this.#append(bytes);
    } catch (thrown) {
      this.#fail(SttError.from(thrown), null);
    }
  }

  receiveText(text: string): void {
    let raw: unknown;
    try {
      raw = messageJsonOf(text);
      this.#handle(parseOpenAiMessage(raw));
    } catch (thrown) {
      this.#fail(SttError.from(thrown), eventIdOf(raw));
    }
  }

  closed(): void {
    clearTimeout(this.#waiting);
    this.#running?.link.closed();
  }

  restart(): void {
    if (this.#running) this.#running.link.restart();
    else this.#wire.close(CLOSE_CODES.restart, 'restart');
  }

  #handle(message: OpenAiMessage): void {
    switch (message.type) {
      case 'session.update':
        this.#update(message.session, false);
        break;
      case 'transcription_session.update':
        this.#update(message.session, true);
        break;
      case 'input_audio_buffer.append':
        this.#append(message.audio);
        break;
      case 'input_audio_buffer.commit':
        this.#commit();
        break;
      case 'input_audio_buffer.clear':
        this.#clear();
    }
  }

  #update(session: unknown, isLegacy: boolean): void {
    const settings = updatedSettings(this.#settings, session, isLegacy);
    if (this.#running && JSON.stringify(settings) !== JSON.stringify(this.#settings)) {
      throw new SttError('INPUT_INVALID', 'session: it cannot be changed once its audio has begun');
    }
    this.#settings = settings;
    this.#isLegacy = isLegacy;
    this.#tellSession('updated');
  }

  #append(bytes: Buffer): void {
    this.#running ??= this.#start();
    const samples = this.#running.audio.convert(bytes);
    if (this.#running.audio.isContainer) {
      throw new SttError(
        'AUDIO_UNSUPPORTED',
        'audio: expected samples, found a file with a header',
      );
    }
    const { sampleRateHz } = this.#running.audio.sessionFormat;
    this.#running.appendedSec += samples.length / 2 / sampleRateHz;
    this.#running.link.receiveAudio(samples);
  }

  #start(): Running {
    clearTimeout(this.#waiting);
    const { language, languages, turnDetection, hasLogProbs } = this.#settings;
    const audio = new IncomingAudio(incomingFormatOf(this.#settings));
    const live = liveOptionsOf(pauseOf(this.#settings));
    const link = this.#link({ ...this.#wire, send: (message) => this.#tell(message) }, { live });
    const { encoding, sampleRateHz } = audio.sessionFormat;
    link.receive({
      ...{ type: 'start_session', session_id: null, tenant_id: null, meeting_id: null },
      ...{ user_id: null, language, languages, encoding, sample_rate: sampleRateHz },
    });
    const Keeper = turnDetection === null ? CommittedTurns : DetectedTurns;
    const items = new Keeper(
      (type, fields) => this.#emit(type, hasLogProbs ? fields : { ...fields, logprobs: undefined }),
      (item) => this.#tellCommitted(item),
    );
    return { link, audio, items, appendedSec: 0, committedSec: 0 };
  }

  #commit(): void {
    const { appendedSec = 0, committedSec = 0 } = this.#running ?? {};
    if (!this.#running || appendedSec - committedSec < MIN_COMMIT_SEC) {
      throw new SttError('INPUT_INVALID', 'The buffer holds less than 100 ms of audio');
    }
    this.#running.committedSec = appendedSec;
    this.#running.items.commit(appendedSec);
    this.#running.link.receive({ type: 'finalize' });
  }

  #clear(): void {
    if (this.#running) {
      this.#running.committedSec = this.#running.appendedSec;
      this.#running.items.clear(this.#running.appendedSec);
      this.#running.link.receive({ type: 'finalize' });
    }
    this.#emit('input_audio_buffer.cleared', {});
  }

  #tell(message: ServerMessage): void {
    switch (message.type) {
      case 'speech_started':
      case 'speech_ended':
      case 'transcript_final':
      case 'transcript_gap':
        this.#running?.items.hear(message);
        break;
      case 'finalized':
        this.#running?.items.finalized();
        break;
      case 'error':
        this.#fail(new SttError(message.code, message.message), null);
        break;
      case 'session_ended':
        this.#fail(
          new SttError('REQUEST_TIMEOUT', `The session has ended: ${message.reason}`),
          null,
        );
        break;
      default: // Partials may change, which a delta must not; the rest has no counterpart.
    }
  }

  #tellCommitted({ id }: Item): void {
    const previous_item_id = this.#lastItemId;
    this.#lastItemId = id;
    this.#emit('input_audio_buffer.committed', { item_id: id, previous_item_id });
    const content = [{ type: 'input_audio', transcript: null }];
    const item = { id, object: 'realtime.item', type: 'message', role: 'user', content };
    const told = this.#isLegacy ? ['created'] : ['added', 'done'];
    for (const step of told) {
      const status = step === 'added' ? 'in_progress' : 'completed';
      this.#emit(`conversation.item.${step}`, { previous_item_id, item: { ...item, status } });
    }
  }

  #tellSession(change: 'created' | 'updated'): void {
    const prefix = this.#isLegacy ? 'transcription_session' : 'session';
    const object = 'realtime.transcription_session';
    const session = describeSettings(this.#settings, this.#isLegacy);
    this.#emit(`${prefix}.${change}`, { session: { id: this.#sessionId, object, ...session } });
  }

  #fail(error: SttError, eventId: string | null): void {
    this.#emit('error', { error: { ...openAiErrorOf(error).error, event_id: eventId } });
  }

  #emit(type: string, fields: object): void {
    const event_id = `event_${randomUUID().replaceAll('-', '')}`;
    this.#wire.send({ type, event_id, ...fields });
  }
}
