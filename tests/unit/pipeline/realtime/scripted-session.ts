import { SAMPLE_RATE_HZ, type SampleRange } from '../../../../audio/time.ts';
import type { LiveWord } from '../../../../pipeline/realtime/agreement.ts';
import { stepLiveSession } from '../../../../pipeline/realtime/live-session.ts';
import {
  initialLiveState,
  type LiveEvent,
  type LiveInput,
  type LiveState,
  type WindowRequest,
} from '../../../../pipeline/realtime/session-state.ts';

export const SECOND = SAMPLE_RATE_HZ;

interface SpokenWord {
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

/** What a test says: words with pauses between them. */
export interface Speech {
  readonly words: readonly SpokenWord[];
  readonly samples: number;
}

export function speechOf(
  script: readonly { text: string; lengthMs: number; pauseMs: number }[],
): Speech {
  let at = SECOND / 2;
  const words = script.map(({ text, lengthMs, pauseMs }) => {
    const start = at + pauseMs * 16;
    at = start + lengthMs * 16;
    return { text: ` ${text}`, start, end: at };
  });
  return { words, samples: at + 2 * SECOND };
}

/** Speech wherever a word is, and in the short pauses between words. */
const probabilityOf = ({ words }: Speech, frame: SampleRange): number =>
  words.some(({ start, end }) => frame.start < end && frame.end > start) ? 0.9 : 0.05;

/** A host that plays speech to the reducer and answers its windows as a recogniser would. */
export class ScriptedSession {
  state: LiveState = initialLiveState('ko');
  readonly events: LiveEvent[] = [];
  readonly requests: WindowRequest[] = [];
  readonly #speech: Speech;
  #heardFrames = 0;

  readonly #frameSamples: number;

  constructor(speech: Speech, frameSamples = 512) {
    this.#speech = speech;
    this.#frameSamples = frameSamples;
  }

  give(input: LiveInput): void {
    // The state survives storage between any two inputs.
    const stored = JSON.parse(JSON.stringify(this.state)) as LiveState;
    const { state, events, request } = stepLiveSession(stored, input);
    this.state = state;
    this.events.push(...events);
    if (request) this.requests.push(request);
  }

  hearMs(ms: number): void {
    const frameSamples = this.#frameSamples;
    const probabilities: number[] = [];
    for (let frame = 0; frame < Math.ceil((ms * 16) / frameSamples); frame++) {
      const start = this.#heardFrames++ * frameSamples;
      if (start >= this.#speech.samples) continue;
      probabilities.push(probabilityOf(this.#speech, { start, end: start + frameSamples }));
    }
    this.give({ type: 'audio', probabilities, frameSamples });
  }

  get isOver(): boolean {
    return this.#heardFrames * this.#frameSamples >= this.#speech.samples;
  }

  /** A correct result; the tail of a window that goes on may be wrong. */
  answer(request: WindowRequest, { jitter = 0, garbleTail = false } = {}): void {
    const inside = this.#speech.words.filter(
      ({ start, end }) => (start + end) / 2 >= request.start && (start + end) / 2 < request.end,
    );
    const within = (at: number): number => Math.max(request.start, Math.min(at, request.end));
    const words = inside.map(({ text, start, end }, index): LiveWord => {
      const isTail = garbleTail && !request.isLast && end > request.end - SECOND / 2;
      const moved = index % 2 === 0 ? jitter : -jitter;
      return {
        text: isTail ? ' garbled' : text,
        range: { start: within(start + moved), end: within(end + moved) },
        confidence: 0.9,
      };
    });
    const result = { words, language: 'ko', languageProbability: 1 };
    this.give({ type: 'result', seq: request.seq, result });
  }

  get finals(): LiveWord[] {
    return this.events.flatMap((event) => (event.type === 'final' ? event.words : []));
  }

  get text(): string {
    return this.finals.map(({ text }) => text).join('');
  }
}

export const said = ({ words }: Speech): string => words.map(({ text }) => text).join('');
