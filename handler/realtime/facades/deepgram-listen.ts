import { createHash } from 'node:crypto';
import { z } from 'zod';
import { messageJsonOf } from '../client-messages.ts';
import type { SessionLink, SocketSpeaker, Wire } from '../connection-parts.ts';
import type { LiveWireEvent } from '../live-events.ts';
import type { ServerMessage } from '../server-messages.ts';
import type { ListenSettings } from './deepgram-query.ts';
import { CHANNEL, modelInfo, type Results, toResults } from './deepgram-results.ts';
import { liveOptionsOf } from './endpointing.ts';
import type { LinkToSession } from './facade-route.ts';
import { IncomingAudio } from './incoming-audio.ts';

type Final = Extract<LiveWireEvent, { type: 'transcript_final' }>;

/** Deepgram's names of what is used up; the rest has ours. */
const LIMIT_NAMES: Readonly<Record<string, string>> = {
  RATE_LIMITED: 'TOO_MANY_REQUESTS',
  CONCURRENCY_LIMITED: 'TOO_MANY_REQUESTS',
  QUOTA_EXCEEDED: 'ASR_PAYMENT_REQUIRED',
  BUDGET_EXCEEDED: 'ASR_PAYMENT_REQUIRED',
};

const ControlSchema = z.object({ type: z.enum(['KeepAlive', 'Finalize', 'CloseStream']) });

/** Deepgram's `/v1/listen` on a live session: its control messages in, its `Results` out. */
export class DeepgramListen implements SocketSpeaker {
  readonly #wire: Wire;
  readonly #settings: ListenSettings;
  readonly #link: SessionLink;
  readonly #audio: IncomingAudio;
  readonly #sha256 = createHash('sha256');
  readonly #created = new Date().toISOString();
  #finalizing = 0;
  /** The last final since `Finalize`: it may be the one that says so. */
  #heldBack: Results | null = null;
  #openUtterances = 0;
  #settledSec = 0;
  /** End of the last word that no `UtteranceEnd` has followed. */
  #lastWordEnd: number | null = null;

  constructor(wire: Wire, settings: ListenSettings, link: LinkToSession) {
    this.#wire = wire;
    this.#settings = settings;
    this.#audio = new IncomingAudio(settings.format);
    const live = liveOptionsOf({ endSilenceMs: settings.endSilenceMs });
    this.#link = link({ ...wire, send: (message) => this.#tell(message) }, { live });
    const { encoding, sampleRateHz } = this.#audio.sessionFormat;
    this.#link.receive({
      ...{ type: 'start_session', session_id: null, tenant_id: null, meeting_id: null },
      ...{ user_id: null, language: settings.language, languages: settings.languages },
      ...{ encoding, sample_rate: sampleRateHz },
    });
  }

  receiveAudio(bytes: Buffer): void {
    if (bytes.length === 0) {
      this.#link.receive({ type: 'end_session' });
      return;
    }
    this.#sha256.update(bytes);
    this.#link.receiveAudio(this.#audio.convert(bytes));
  }

  receiveText(text: string): void {
    switch (controlOf(text)) {
      case 'KeepAlive':
        this.#link.keepAlive();
        break;
      case 'Finalize':
        this.#finalizing += 1;
        this.#link.receive({ type: 'finalize' });
        break;
      case 'CloseStream':
        this.#link.receive({ type: 'end_session' });
        break;
      case undefined:
        this.#fail('INPUT_INVALID', 'type: expected KeepAlive, Finalize or CloseStream');
    }
  }

  closed(): void {
    this.#link.closed();
  }

  restart(): void {
    this.#link.restart();
  }

  #tell(message: ServerMessage): void {
    switch (message.type) {
      case 'speech_started':
        this.#tellSpeechStarted(message.start);
        break;
      case 'transcript_partial':
        if (!this.#settings.hasInterimResults || message.words.length === 0) break;
        this.#wire.send(toResults(message, this.#settings, this.#settledSec));
        break;
      case 'transcript_final':
        this.#tellFinal(message);
        break;
      case 'finalized':
        this.#tellFinalized();
        break;
      case 'audio_ack':
        this.#tellUtteranceEnd(message.audio_duration);
        break;
      case 'error':
        this.#fail(message.code, message.message);
        break;
      case 'session_ended':
        this.#tellEnd(message.audio_duration);
        break;
      default: // Deepgram's protocol has no message for it.
    }
  }

  #tellSpeechStarted(timestamp: number): void {
    this.#openUtterances += 1;
    if (!this.#settings.hasVadEvents) return;
    this.#wire.send({ type: 'SpeechStarted', channel: CHANNEL, timestamp });
  }

  #tellFinal(final: Final): void {
    const results = toResults(final, this.#settings, this.#settledSec);
    this.#settledSec = final.end ?? this.#settledSec;
    this.#lastWordEnd = final.end ?? this.#lastWordEnd;
    if (final.speech_final) this.#openUtterances -= 1;
    this.#release();
    if (this.#finalizing > 0) this.#heldBack = results;
    else this.#wire.send(results);
  }

  #release(): void {
    if (this.#heldBack) this.#wire.send(this.#heldBack);
    this.#heldBack = null;
  }

  #tellFinalized(): void {
    this.#finalizing -= 1;
    const nothing = { type: 'transcript_final', utterance_id: 0, text: '', words: [] } as const;
    const ends = { start: null, end: null, speech_final: true, language: null };
    const results =
      this.#heldBack ?? toResults({ ...nothing, ...ends }, this.#settings, this.#settledSec);
    this.#heldBack = null;
    this.#wire.send({ ...results, from_finalize: true });
  }

  /** Silence is counted in audio, once all that was said before it is final. */
  #tellUtteranceEnd(heardSec: number): void {
    const { utteranceEndSec } = this.#settings;
    const last = this.#lastWordEnd;
    if (utteranceEndSec === undefined || last === null || this.#openUtterances > 0) return;
    if (heardSec - last < utteranceEndSec) return;
    this.#lastWordEnd = null;
    this.#wire.send({ type: 'UtteranceEnd', channel: CHANNEL, last_word_end: last });
  }

  #tellEnd(duration: number): void {
    this.#release();
    const { requestId, model, format } = this.#settings;
    this.#wire.send({
      type: 'Metadata',
      transaction_key: 'deprecated',
      request_id: requestId,
      sha256: this.#sha256.digest('hex'),
      created: this.#created,
      duration,
      channels: format.channels,
      models: [model],
      model_info: { [model]: modelInfo(model) },
    });
  }

  #fail(variant: string, description: string): void {
    const named = LIMIT_NAMES[variant] ?? variant;
    this.#wire.send({ type: 'Error', variant: named, description, message: description });
  }
}

function controlOf(text: string): z.output<typeof ControlSchema>['type'] | undefined {
  try {
    return ControlSchema.parse(messageJsonOf(text)).type;
  } catch {
    return undefined;
  }
}
