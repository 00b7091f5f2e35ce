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

/** How a window is heard. */
interface Hearing {
  /** Samples by which words are moved, to and fro. */
  readonly jitter: number;
  readonly garbleTail: boolean;
  /** For each word in turn: as it is, joined to the one before it, or written as two. */
  readonly spacing: readonly ('as-is' | 'join' | 'split')[];
}

function respaced(words: readonly LiveWord[], spacing: Hearing['spacing']): LiveWord[] {
  const written: LiveWord[] = [];
  for (const [index, word] of words.entries()) {
    const manner = spacing[index % spacing.length] ?? 'as-is';
    const before = written.at(-1);
    const { start, end } = word.range;
    if (manner === 'join' && before && start - before.range.end < SECOND / 2) {
      const range = { start: before.range.start, end };
      written.splice(-1, 1, { ...word, text: before.text + word.text.trim(), range });
    } else if (manner === 'split' && word.text.length > 2) {
      const middle = Math.round((start + end) / 2);
      const [head, tail] = [word.text.slice(0, 2), word.text.slice(2)];
      written.push({ ...word, text: head, range: { start, end: middle } });
      written.push({ ...word, text: ` ${tail}`, range: { start: middle, end } });
    } else written.push(word);
  }
  return written;
}

/** A host that plays speech to the reducer and answers its windows as a recogniser would. */
export class ScriptedSession {
  state: LiveState = initialLiveState('ko');
  readonly events: LiveEvent[] = [];
  readonly requests: WindowRequest[] = [];
  readonly #speech: Speech;
  #heardFrames = 0;
  #inputs = 0;

  readonly #frameSamples: number;

  constructor(speech: Speech, frameSamples = 512) {
    this.#speech = speech;
    this.#frameSamples = frameSamples;
  }

  give(input: LiveInput): void {
    // The state survives storage between two inputs; not after each, as that would be half of the time.
    const isStored = this.#inputs++ % 5 === 0;
    const before = isStored ? (JSON.parse(JSON.stringify(this.state)) as LiveState) : this.state;
    const { state, events, request } = stepLiveSession(before, input);
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
  answer(
    request: WindowRequest,
    { jitter = 0, garbleTail = false, spacing = [] }: Partial<Hearing> = {},
  ): void {
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
    const spaced = respaced(words, spacing);
    const result = { words: spaced, language: 'ko', languageProbability: 1 };
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
