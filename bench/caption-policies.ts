import { attentionWords } from '../pipeline/alignment/attention-words.ts';
import type {
  Recognition,
  SpeakerEmbeddingModel,
  SpeechRecognizer,
} from '../pipeline/contracts.ts';
import type { LiveWord } from '../pipeline/realtime/agreement.ts';
import { hear, initialEndpointState } from '../pipeline/realtime/endpointing.ts';
import { hearWindow } from '../pipeline/realtime/hear-window.ts';
import { stepLiveSession } from '../pipeline/realtime/live-session.ts';
import { recognizeWindow } from '../pipeline/realtime/recognize-window.ts';
import {
  initialLiveState,
  type LiveEvent,
  type LiveInput,
  type LiveState,
  type WindowRequest,
} from '../pipeline/realtime/session-state.ts';

/** A way to make captions, replayed: who hears the audio decides which window is recognised next. */
export interface CaptionPolicy {
  readonly name: string;
  /** One frame more was heard. */
  hear(probability: number, frameSamples: number): void;
  /** All was heard. */
  end(): void;
  /** Recognises the next window, if there is one to be asked for now; gives what became final. */
  recognize(): Promise<(() => readonly LiveWord[]) | null>;
}

const SCHEDULING = { priority: 'realtime', tenant: null } as const;
const { signal } = new AbortController();

interface OwnModels {
  readonly recognizer: SpeechRecognizer;
  /** Where final words shall say who speaks. */
  readonly embedding?: SpeakerEmbeddingModel;
}

/** This project's: `stepLiveSession`. */
export class OwnPolicy implements CaptionPolicy {
  readonly name: string;
  readonly #samples: Float32Array<ArrayBuffer>;
  readonly #models: OwnModels;
  #state: LiveState;
  #request: WindowRequest | null = null;
  #finals: LiveWord[] = [];

  constructor(name: string, samples: Float32Array<ArrayBuffer>, models: OwnModels) {
    this.name = name;
    this.#samples = samples;
    this.#models = models;
    this.#state = initialLiveState('en', models.embedding !== undefined);
  }

  hear(probability: number, frameSamples: number): void {
    this.#step({ type: 'audio', probabilities: [probability], frameSamples });
  }

  end(): void {
    this.#step({ type: 'end' });
  }

  async recognize(): Promise<(() => readonly LiveWord[]) | null> {
    const window = this.#request;
    if (window === null) return null;
    this.#request = null;
    const waveform = this.#samples.slice(window.start, window.end);
    const asked = { ...window, waveform, scheduling: SCHEDULING };
    const { recognizer, embedding } = this.#models;
    const result = embedding
      ? await hearWindow(asked, { liveRecognizer: async () => recognizer, embedding }, signal)
      : await recognizeWindow(asked, recognizer, signal);
    return () => {
      this.#step({ type: 'result', seq: window.seq, result });
      return this.#finals.splice(0);
    };
  }

  #step(input: LiveInput): void {
    const { state, events, request } = stepLiveSession(this.#state, input);
    this.#state = state;
    this.#request = request ?? this.#request;
    const isFinal = (event: LiveEvent) => event.type === 'final';
    this.#finals.push(...events.filter(isFinal).flatMap(({ words }) => words));
  }
}

const SEC = 16_000;
const MIN_CHUNK = SEC;
const TRIM = 15 * SEC;
const PROMPT_CHARS = 200;

/**
 * whisper_streaming's, from its description (Macháček et al. 2023) and its documented defaults: a
 * window per second of new audio, LocalAgreement-2 on exact words, repeats removed by n-grams, cut at
 * the last segment but one once longer than 15 s; with its voice activity controller, which ends an
 * utterance after 500 ms of silence.
 */
export class WhisperStreamingPolicy implements CaptionPolicy {
  readonly name = 'whisper_streaming';
  readonly #samples: Float32Array<ArrayBuffer>;
  readonly #recognizer: SpeechRecognizer;
  #endpoint = initialEndpointState;
  #isSpeaking = false;
  /** What is to be finished, up to its end. */
  #toFinish: number[] = [];
  #bufferStart = 0;
  #askedUntil = 0;
  #committed: LiveWord[] = [];
  #pending: LiveWord[] = [];
  #lastEnd = 0;
  #scrolled = '';

  constructor(samples: Float32Array<ArrayBuffer>, recognizer: SpeechRecognizer) {
    this.#samples = samples;
    this.#recognizer = recognizer;
  }

  hear(probability: number, frameSamples: number): void {
    const { state, events } = hear(this.#endpoint, { probability, frameSamples });
    this.#endpoint = state;
    for (const { type, at } of events) {
      if (type === 'speech-end') this.#toFinish.push(at);
      this.#isSpeaking = type === 'speech-start';
      if (type === 'speech-start' && this.#toFinish.length === 0) this.#begin(at);
    }
  }

  end(): void {
    if (this.#isSpeaking) this.#toFinish.push(this.#endpoint.heard);
  }

  async recognize(): Promise<(() => readonly LiveWord[]) | null> {
    const finish = this.#toFinish[0];
    const end = finish ?? this.#endpoint.heard;
    const isEnough = end - Math.max(this.#askedUntil, this.#bufferStart) >= MIN_CHUNK;
    if (finish === undefined && !(this.#isSpeaking && isEnough)) return null;
    this.#askedUntil = end;
    const waveform = this.#samples.slice(
      this.#bufferStart,
      Math.min(end, this.#bufferStart + 30 * SEC),
    );
    const recognition = await this.#recognizer.recognize(
      {
        waveform,
        task: 'transcribe',
        language: 'en',
        timestamps: true,
        attention: true,
        temperature: 0,
        prompt: this.#scrolled.slice(-PROMPT_CHARS).trim() || null,
        scheduling: SCHEDULING,
      },
      signal,
    );
    return () => this.#insert(recognition, finish !== undefined);
  }

  #insert(recognition: Recognition, isLast: boolean): readonly LiveWord[] {
    const fresh = this.#withoutRepeats(this.#wordsOf(recognition));
    let count = 0;
    while (count < fresh.length && fresh[count]!.text === this.#pending[count]?.text) count += 1;
    const finals = isLast ? fresh : fresh.slice(0, count);
    this.#committed.push(...finals);
    this.#lastEnd = finals.at(-1)?.range.end ?? this.#lastEnd;
    this.#pending = isLast ? [] : fresh.slice(count);
    if (isLast) {
      this.#toFinish.shift();
      const { start, phase } = this.#endpoint;
      this.#begin(phase === 'speech' ? start : this.#endpoint.heard);
    } else if (this.#endpoint.heard - this.#bufferStart > TRIM) this.#trim(recognition);
    return finals;
  }

  #begin(at: number): void {
    this.#scrolled += this.#committed.map(({ text }) => text).join('');
    this.#committed = [];
    this.#bufferStart = at;
    this.#askedUntil = at;
  }

  #withoutRepeats(words: readonly LiveWord[]): LiveWord[] {
    const fresh = words.filter(({ range }) => range.start > this.#lastEnd - 0.1 * SEC);
    const first = fresh[0];
    if (!first || Math.abs(first.range.start - this.#lastEnd) >= SEC) return fresh;
    const said = this.#committed;
    for (let size = 1; size <= Math.min(5, said.length, fresh.length); size++) {
      const isSame = said.slice(-size).every(({ text }, at) => text === fresh[at]!.text);
      if (isSame) return fresh.slice(size);
    }
    return fresh;
  }

  /** At the end of the last segment but one that holds only final words. */
  #trim({ tokens }: Recognition): void {
    const times = tokens.flatMap((token) =>
      token.kind === 'timestamp' && token.offsetSamples > 0 ? token.offsetSamples : [],
    );
    const ends = [...new Set(times.map((offset) => this.#bufferStart + offset))].slice(0, -1);
    const cut = ends.findLast((end) => end <= this.#lastEnd);
    if (cut === undefined) return;
    const gone = this.#committed.filter(({ range }) => range.end <= cut);
    this.#scrolled += gone.map(({ text }) => text).join('');
    this.#committed = this.#committed.filter(({ range }) => range.end > cut);
    this.#bufferStart = cut;
  }

  #wordsOf(recognition: Recognition): LiveWord[] {
    if (!recognition.attention) return [];
    const textOf = (ids: readonly number[]): string => this.#recognizer.textOf(ids);
    const words = attentionWords(recognition, recognition.attention, textOf).flat();
    return words
      .filter(({ text }) => text.trim() !== '')
      .map(({ text, start, end, confidence }) => ({
        text,
        confidence,
        range: { start: this.#bufferStart + start, end: this.#bufferStart + end },
      }));
  }
}
