import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import WebSocket from 'ws';

export interface LiveOutcome {
  readonly text: string;
  /** From the start of each utterance to its first text. */
  readonly firstPartialMs: readonly number[];
  /** From the end of each final word to a partial that held it, or to its final. */
  readonly partialMs: readonly number[];
  /** From the end of each word to its final, in the order of the words. */
  readonly finalMs: readonly number[];
  /** Stretches that could not be recognised. */
  readonly gaps: number;
  /** Finals out of order or repeated. */
  readonly retractions: number;
}

interface Word {
  readonly word: string;
  readonly start: number;
  readonly end: number;
}

interface Message {
  readonly type: string;
  readonly code?: string;
  readonly event_seq?: number;
  readonly utterance_id?: number;
  readonly start?: number;
  readonly text?: string;
  readonly words?: readonly Word[];
}

const SAMPLE_RATE_HZ = 16_000;
const PIECE_MS = 100;

/** Plays a recording as a microphone would, a tenth of a second at a time. */
export async function playLive(
  url: string,
  samples: Float32Array,
  language: string | null,
): Promise<LiveOutcome> {
  const socket = new WebSocket(url);
  await once(socket, 'open');
  const meter = new LiveMeter();
  socket.on('message', (data) => meter.hear(JSON.parse(String(data)) as Message));
  const closed = once(socket, 'close');
  socket.send(JSON.stringify({ type: 'start_session', language, encoding: 'pcm16' }));
  meter.start();
  const step = (SAMPLE_RATE_HZ * PIECE_MS) / 1000;
  for (let start = 0; start < samples.length; start += step) {
    const piece = Int16Array.from(samples.subarray(start, start + step), (value) => value * 32_767);
    const dueMs = ((start + step) / SAMPLE_RATE_HZ) * 1000; // A piece is there once it was spoken.
    await sleep(Math.max(0, dueMs - meter.elapsedMs()));
    socket.send(new Uint8Array(piece.buffer));
  }
  socket.send(JSON.stringify({ type: 'end_session' }));
  await closed;
  return meter.outcome();
}

class LiveMeter {
  readonly #speechStartMs = new Map<number, number>();
  readonly #firstPartialMs: number[] = [];
  readonly #partialMs: number[] = [];
  readonly #finalMs: number[] = [];
  #gaps = 0;
  #partials: { readonly atMs: number; readonly words: readonly Word[] }[] = [];
  #startedAtMs = 0;
  #text = '';
  #lastEnd = 0;
  #lastSeq = 0;
  #retractions = 0;

  start(): void {
    this.#startedAtMs = performance.now();
  }

  elapsedMs(): number {
    return performance.now() - this.#startedAtMs;
  }

  hear(message: Message): void {
    const { type, utterance_id: id = 0, words = [] } = message;
    if (type === 'speech_started') this.#speechStartMs.set(id, 1000 * (message.start ?? 0));
    if (type === 'transcript_gap') this.#gaps += 1;
    if (type === 'error') throw new Error(`The session failed with ${message.code}`);
    if (words.length === 0) return;
    const startMs = this.#speechStartMs.get(id);
    if (startMs !== undefined) this.#firstPartialMs.push(this.elapsedMs() - startMs);
    this.#speechStartMs.delete(id);
    if (type === 'transcript_partial') this.#partials.push({ atMs: this.elapsedMs(), words });
    if (type === 'transcript_final') this.#settle(message, words);
  }

  #settle({ event_seq: seq = 0, text = '' }: Message, words: readonly Word[]): void {
    if (seq <= this.#lastSeq) this.#retractions += 1;
    this.#lastSeq = seq;
    this.#text += text;
    for (const { word, start, end } of words) {
      if (start < this.#lastEnd) this.#retractions += 1;
      this.#lastEnd = end;
      const isIt = (other: Word): boolean =>
        other.word.toLowerCase() === word.toLowerCase() && Math.abs(other.start - start) < 0.5;
      const shown = this.#partials.find((partial) => partial.words.some(isIt));
      this.#partialMs.push((shown?.atMs ?? this.elapsedMs()) - 1000 * end);
      this.#finalMs.push(this.elapsedMs() - 1000 * end);
    }
    this.#partials = this.#partials.slice(-20);
  }

  outcome(): LiveOutcome {
    return {
      text: this.#text,
      firstPartialMs: this.#firstPartialMs,
      partialMs: this.#partialMs,
      finalMs: this.#finalMs,
      gaps: this.#gaps,
      retractions: this.#retractions,
    };
  }
}
