import { JoinedSessions } from './joined-sessions.js';
import { KeptAudio } from './kept-audio.js';
import { apiKey, ServiceError } from './service.js';

const RETRY_MS = 1000;
const MAX_RETRIES = 50;
/** A service that hears audio says so every second; a socket that is silent for so long is dead. */
const SILENT_MS = 20_000;
/** Closed for a reason that trying again does not change. */
const isFinal = (/** @type {number} */ code) => code === 1000 || (code >= 4000 && code !== 4408);
/** The service is restarting; it is loading or full. */
const BUSY = [1012, 1013];
/** The session is gone, or had all the audio it may have: a new one goes on. */
const RENEWABLE = [4404, 4413];
/** Ended, though there is more to come: it was as long as it may be, or its client was away for too long. */
const UNFINISHED = ['max_duration', 'abandoned'];
const MAX_RENEWALS = 20;

/**
 * @typedef {object} LiveHooks
 * @property {(event: any) => void} onEvent
 * @property {() => void} onCut the connection is gone and will be taken up again
 * @property {(error: ServiceError | null) => void} onEnd null after an orderly end
 */

/** A live session over as many sockets as it takes: audio is kept until the service has it. */
export class LiveConnection {
  #start;
  #hooks;
  /** @type {WebSocket | undefined} */
  #socket;
  #audio;
  /** This one, and those before it that were lost or had reached their limit. */
  #sessions = new JoinedSessions();
  #lastEventSeq = 0;
  #sessionId = '';
  #resumeToken = '';
  #retries = 0;
  /** When to try again; null unless the connection was cut. @type {number | null} */
  #retryAtMs = null;
  #heardAtMs = 0;
  #isOpen = false;
  #isCut = false;
  #isEnding = false;
  #hasEnded = false;
  #isOver = false;
  /** @type {ServiceError | null} */
  #failure = null;

  /** @param {{ language: string | null, sampleRateHz: number, isDiarized: boolean }} start @param {LiveHooks} hooks */
  constructor(start, hooks) {
    this.#start = start;
    this.#hooks = hooks;
    this.#audio = new KeptAudio(start.sampleRateHz);
    this.#connect();
  }

  /** Whether it has to be taken up again. */
  get isCut() {
    return this.#isCut;
  }

  /** @param {Int16Array<ArrayBuffer>} bytes */
  send(bytes) {
    this.#audio.add(bytes);
    if (this.#isOpen) this.#socket?.send(bytes);
    const isWaiting = this.#retryAtMs === null && !this.#isOver;
    if (isWaiting && performance.now() - this.#heardAtMs > SILENT_MS) this.#abandonSocket();
    this.#retryWhenDue();
  }

  /** No more audio; the last words come, then the end. */
  end() {
    this.#isEnding = true;
    if (this.#isOpen) this.#tell({ type: 'end_session' });
  }

  /** Nothing more is waited for. */
  leave() {
    this.#socket?.close(1000);
  }

  /** A socket without a network takes minutes to close by itself. */
  #abandonSocket() {
    this.#dropSocket();
    this.#closed(1006, '');
  }

  #dropSocket() {
    if (!this.#socket) return;
    this.#socket.onopen = null;
    this.#socket.onclose = null;
    this.#socket.onmessage = null;
    this.#socket.close(1000);
  }

  /** Timers of a tab in the background are late by up to a minute, its audio is not: both call this. */
  #retryWhenDue() {
    if (this.#retryAtMs === null || performance.now() < this.#retryAtMs) return;
    this.#retryAtMs = null;
    this.#connect();
  }

  #connect() {
    const socket = new WebSocket(`${location.origin.replace(/^http/, 'ws')}/stt/realtime`);
    this.#socket = socket;
    this.#heardAtMs = performance.now();
    socket.onopen = () => this.#introduce();
    socket.onmessage = ({ data }) => this.#hear(JSON.parse(data));
    socket.onclose = ({ code, reason }) => this.#closed(code, reason);
  }

  #introduce() {
    const token = apiKey() === '' ? {} : { token: apiKey() };
    if (this.#sessionId !== '') {
      const session = { session_id: this.#sessionId, resume_token: this.#resumeToken };
      const last_event_seq = this.#lastEventSeq;
      this.#tell({ type: 'resume_session', ...session, last_event_seq, ...token });
      return;
    }
    const { language, sampleRateHz: sample_rate, isDiarized: diarize } = this.#start;
    const format = { encoding: 'pcm16', sample_rate };
    this.#tell({ type: 'start_session', language, ...format, diarize, ...token });
  }

  /** @param {any} event */
  #hear(event) {
    this.#heardAtMs = performance.now();
    if (event.event_seq !== undefined) {
      if (event.event_seq <= this.#lastEventSeq) return;
      this.#lastEventSeq = event.event_seq;
    }
    switch (event.type) {
      case 'session_started':
        this.#sessionId = event.session_id;
        this.#resumeToken = event.resume_token;
        this.#goOn(0);
        break;
      case 'session_resumed':
        this.#goOn(event.last_seq);
        break;
      case 'audio_ack':
        this.#audio.confirm(event.seq);
        break;
      case 'transcript_final':
        if (event.end !== null) this.#audio.settle(this.#sessions.timeOf(event.end));
        break;
      case 'session_ended':
        if (UNFINISHED.includes(event.reason) && this.#sessions.before < MAX_RENEWALS) {
          return this.#follow(event.audio_duration);
        }
        this.#hasEnded = true;
        break;
      case 'error':
        if (event.fatal) this.#failure = new ServiceError(event.code, event.message);
        break;
    }
    this.#hooks.onEvent(this.#sessions.placed(event));
  }

  /** Another session takes what this one has not heard. @param {number} heardSec */
  #follow(heardSec) {
    this.#audio.settle(this.#sessions.timeOf(heardSec));
    this.#dropSocket();
    this.#isOpen = false;
    this.#renew();
    this.#connect();
  }

  /** @param {number} lastSeq what the service has */
  #goOn(lastSeq) {
    this.#isOpen = true;
    this.#isCut = false;
    this.#retries = 0;
    for (const bytes of this.#audio.behind(lastSeq)) this.#socket?.send(bytes);
    if (this.#isEnding) this.#tell({ type: 'end_session' });
  }

  /** @param {number} code @param {string} reason */
  #closed(code, reason) {
    this.#isOpen = false;
    if (this.#isOver) return;
    const isLost = RENEWABLE.includes(code) && this.#sessionId !== '' && !this.#hasEnded;
    if (isLost && this.#sessions.before < MAX_RENEWALS) this.#renew();
    else if (!this.#mayReturn(code)) return this.#end(code, reason);
    this.#isCut = true;
    this.#hooks.onCut();
    this.#retryAtMs = performance.now() + RETRY_MS;
    setTimeout(() => this.#retryWhenDue(), RETRY_MS + 1);
  }

  #renew() {
    this.#sessions.begin(this.#audio.renew());
    this.#sessionId = '';
    this.#lastEventSeq = 0;
    this.#retries = 0;
    this.#failure = null;
  }

  /** @param {number} code */
  #mayReturn(code) {
    const mayReturn = !isFinal(code) && this.#failure === null && this.#retries < MAX_RETRIES;
    const hasBegun = this.#sessionId !== '' || this.#sessions.before > 0;
    if (!mayReturn || !(hasBegun || BUSY.includes(code))) return false;
    this.#retries += 1;
    return true;
  }

  /** @param {number} code @param {string} reason */
  #end(code, reason) {
    this.#isOver = true;
    // Who comes back to a session that has ended may come too late, and misses nothing of the text.
    if (code === 1000 || (this.#hasEnded && code === 4404)) this.#hooks.onEnd(null);
    else this.#hooks.onEnd(this.#failure ?? new ServiceError(codeOf(code, reason)));
  }

  /** @param {object} message */
  #tell(message) {
    this.#socket?.send(JSON.stringify(message));
  }
}

/** Where a socket is refused, the reason is the code. @param {number} code @param {string} reason */
function codeOf(code, reason) {
  if (/^[A-Z_]+$/.test(reason)) return reason;
  return code === 1006 ? 'NETWORK' : 'SESSION_LOST';
}
