import { clockTime } from './elements.js';
import { LiveConnection } from './live-connection.js';
import { LiveTranscript } from './live-transcript.js';
import { openMicrophone } from './microphone.js';
import { clearProblem, showProblem, showWork } from './notices.js';
import { ServiceError } from './service.js';
import { keepAwake } from './wake-lock.js';
import { wavOf } from './wav.js';

/** @typedef {import('./service.js').Result} Result */
/** @typedef {import('./stage.js').Stage} Stage */

/** Two hours at 16 kHz; what is longer is transcribed, and cannot be played. */
const MAX_KEPT_BYTES = 230 * 1024 * 1024;

/** Speech from the microphone, and its words as they come. */
export class LiveSession {
  #stage;
  #onEnd;
  #transcript = new LiveTranscript();
  /** @type {Int16Array<ArrayBuffer>[]} */
  #pieces = [];
  #keptBytes = 0;
  #heardSec = 0;
  #rateHz = 16_000;
  #isStopping = false;
  #isEnded = false;
  #isDelayed = false;
  #isRefined = false;
  /** @type {LiveConnection | undefined} */
  #connection;
  /** @type {import('./microphone.js').Microphone | undefined} */
  #microphone;
  /** Why it ended, where nobody wanted it to. @type {ServiceError | null} */
  #cause = null;
  #letSleep = () => {};
  #draw = (/** @type {Int16Array} */ _) => {};
  #announce;

  /**
   * @param {Stage} stage
   * @param {{ announce: (text: string) => void, onEnd: (recording: Blob | null) => void }} hooks
   */
  constructor(stage, { announce, onEnd }) {
    this.#stage = stage;
    this.#announce = announce;
    this.#onEnd = onEnd;
  }

  /** @param {string} language empty: detected @param {boolean} isDiarized whether it is told who speaks */
  async start(language, isDiarized) {
    showWork({ text: 'microphone' }, true);
    try {
      this.#microphone = await openMicrophone({
        onPiece: (piece) => this.#hear(piece),
        onLost: () => this.#stopFor(new ServiceError('MIC_LOST')),
      });
    } catch (error) {
      this.#finish(error instanceof ServiceError ? error : new ServiceError('MIC_DENIED'));
      return;
    }
    this.#letSleep = keepAwake();
    this.#rateHz = this.#microphone.sampleRateHz;
    this.#draw = this.#stage.startLive(this.#rateHz);
    const start = { language: language || null, sampleRateHz: this.#rateHz, isDiarized };
    this.#connection = new LiveConnection(start, {
      onEvent: (event) => this.#take(event),
      onCut: () => showWork({ text: 'reconnecting' }, true),
      onEnd: (error) => this.#finish(error),
    });
    if (this.#isStopping) this.stop();
  }

  stop() {
    // All words are there; only the refined transcript is still being made.
    if (this.#isEnded) return this.#connection?.leave();
    this.#isStopping = true;
    showWork({ text: 'finishing' }, true);
    void this.#microphone?.close();
    this.#connection?.end();
  }

  /** @param {ServiceError} cause */
  #stopFor(cause) {
    if (this.#isStopping) return;
    this.#cause = cause;
    this.stop();
  }

  /** @param {Int16Array<ArrayBuffer>} piece */
  #hear(piece) {
    if (this.#isStopping) return;
    this.#connection?.send(piece);
    this.#heardSec += piece.length / this.#rateHz;
    if (this.#keptBytes < MAX_KEPT_BYTES) this.#pieces.push(piece);
    this.#keptBytes += piece.byteLength;
    this.#draw(piece);
    if (this.#connection) showWork({ text: this.#state, time: clockTime(this.#heardSec) }, true);
  }

  get #state() {
    if (this.#connection?.isCut) return 'reconnecting';
    return this.#isDelayed ? 'delayed' : 'listening';
  }

  /** @param {any} event */
  #take(event) {
    switch (event.type) {
      case 'speech_started':
        this.#transcript.begin(event.utterance_id, event.start);
        break;
      case 'transcript_partial':
        this.#transcript.begin(event.utterance_id, event.words[0]?.start ?? this.#heardSec);
        this.#show(event.utterance_id, event.text.trim());
        this.#isDelayed = false;
        break;
      case 'warning':
        if (event.code === 'CAPTIONS_DELAYED') this.#isDelayed = true;
        break;
      case 'transcript_final':
        this.#transcript.add(event);
        this.#show(event.utterance_id, '');
        if (event.speech_final) this.#announce(this.#transcript.textOf(event.utterance_id));
        break;
      case 'transcript_gap':
        this.#transcript.addGap(event.start, event.end);
        this.#show(-1, '');
        break;
      case 'session_ended':
        this.#stopFor(new ServiceError('SESSION_ENDED'));
        this.#isEnded = true;
        if (event.refined) showWork({ text: 'refining' }, false);
        break;
      case 'transcript_refined':
        if (event.result) this.#showRefined(event.result);
        break;
    }
  }

  /** @param {number} utteranceId @param {string} partial what may change of it */
  #show(utteranceId, partial) {
    const row = this.#transcript.lastTurnOf(utteranceId);
    this.#stage.showLive(this.#transcript.segments, { row, text: partial });
  }

  /** @param {Result} result */
  #showRefined(result) {
    this.#isRefined = true;
    this.#stage.showResult(result);
  }

  /** @param {ServiceError | null} error */
  #finish(error) {
    this.#isStopping = true;
    void this.#microphone?.close().catch(() => undefined);
    this.#letSleep();
    const problem = error ?? this.#cause;
    if (problem === null) clearProblem();
    else showProblem(problem);
    this.#transcript.close();
    const { segments, transcript, language } = this.#transcript;
    const isWhole = this.#keptBytes < MAX_KEPT_BYTES && this.#pieces.length > 0;
    const recording = isWhole ? wavOf(this.#pieces, this.#rateHz) : null;
    const result = { segments, transcript, language, audio_duration: this.#heardSec };
    if (this.#connection !== undefined && !this.#isRefined) this.#stage.showResult(result);
    if (recording !== null) void this.#stage.openRecording(recording);
    this.#onEnd(this.#isRefined || segments.length === 0 ? null : recording);
  }
}
