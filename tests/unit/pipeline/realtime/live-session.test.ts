import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { LiveWord } from '../../../../pipeline/realtime/agreement.ts';
import { stepLiveSession } from '../../../../pipeline/realtime/live-session.ts';
import {
  initialLiveState,
  type LiveEvent,
  type LiveInput,
  type LiveState,
  type WindowRequest,
} from '../../../../pipeline/realtime/session-state.ts';

const FRAME_SAMPLES = 512;
const SECOND = 16_000;

interface SpokenWord {
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

/** What a test says: words with pauses between them. */
interface Speech {
  readonly words: readonly SpokenWord[];
  readonly samples: number;
}

function speechOf(script: readonly { text: string; lengthMs: number; pauseMs: number }[]): Speech {
  let at = SECOND / 2;
  const words = script.map(({ text, lengthMs, pauseMs }) => {
    const start = at + pauseMs * 16;
    at = start + lengthMs * 16;
    return { text: ` ${text}`, start, end: at };
  });
  return { words, samples: at + 2 * SECOND };
}

/** Speech wherever a word is, and in the short pauses between words. */
const probabilityAt = ({ words }: Speech, sample: number): number =>
  words.some(({ start, end }) => sample < end && sample + FRAME_SAMPLES > start) ? 0.9 : 0.05;

/** A host that plays speech to the reducer and answers its windows as a recogniser would. */
class Host {
  state: LiveState = initialLiveState('ko');
  readonly events: LiveEvent[] = [];
  readonly requests: WindowRequest[] = [];
  readonly #speech: Speech;
  #heardFrames = 0;

  constructor(speech: Speech) {
    this.#speech = speech;
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
    const probabilities: number[] = [];
    for (let frame = 0; frame < Math.ceil((ms * 16) / FRAME_SAMPLES); frame++) {
      const sample = this.#heardFrames++ * FRAME_SAMPLES;
      if (sample < this.#speech.samples) probabilities.push(probabilityAt(this.#speech, sample));
    }
    this.give({ type: 'audio', probabilities, frameSamples: FRAME_SAMPLES });
  }

  get isOver(): boolean {
    return this.#heardFrames * FRAME_SAMPLES >= this.#speech.samples;
  }

  /** A correct result; the tail of a window that goes on may be wrong. */
  answer(request: WindowRequest, { jitter = 0, garbleTail = false } = {}): void {
    const inside = this.#speech.words.filter(
      ({ start, end }) => (start + end) / 2 >= request.start && (start + end) / 2 < request.end,
    );
    const words = inside.map(({ text, start, end }, index): LiveWord => {
      const isTail = garbleTail && !request.isLast && end > request.end - SECOND / 2;
      const moved = index % 2 === 0 ? jitter : -jitter;
      return {
        text: isTail ? ' garbled' : text,
        range: { start: start + moved, end: end + moved },
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

const said = ({ words }: Speech): string => words.map(({ text }) => text).join('');
const word = (text: string, pauseMs = 50) => ({ text, lengthMs: 300, pauseMs });

/** Plays everything, answering each window at once. */
function play(speech: Speech): Host {
  const host = new Host(speech);
  while (!host.isOver) {
    host.hearMs(200);
    answerAll(host);
  }
  host.give({ type: 'end' });
  answerAll(host);
  return host;
}

function answerAll(host: Host): void {
  for (let seq = 0; host.state.inFlight !== null && seq !== host.state.inFlight.seq; ) {
    seq = host.state.inFlight.seq;
    host.answer(host.state.inFlight);
  }
}

test('words become final while the speaker goes on, and all of them in the end', () => {
  const speech = speechOf(Array.from({ length: 30 }, (_, index) => word(`word${index}`)));
  const host = play(speech);
  expect(host.text).toBe(said(speech));
  const firstFinal = host.events.findIndex(({ type }) => type === 'final');
  const speechEnd = host.events.findIndex(({ type }) => type === 'speech-end');
  expect(firstFinal).toBeLessThan(speechEnd);
  expect(host.events.at(-1)).toEqual({ type: 'ended' });
});

test('silence asks for nothing', () => {
  const host = play({ words: [], samples: 60 * SECOND });
  expect(host.requests).toEqual([]);
  expect(host.events).toEqual([{ type: 'ended' }]);
});

test('a word said twice stays two words', () => {
  const speech = speechOf([word('네'), word('네'), word('그'), word('그'), word('그래요')]);
  expect(play(speech).text).toBe(' 네 네 그 그 그래요');
});

test('a pause ends the utterance, and the next one is another', () => {
  const speech = speechOf([word('안녕하세요'), word('시작합니다', 1500)]);
  const ends = play(speech).events.filter((event) => event.type === 'final' && event.endsUtterance);
  expect(ends).toHaveLength(2);
  expect(ends[0]).toMatchObject({ utteranceId: 1, words: [{ text: ' 안녕하세요' }] });
  expect(ends[1]).toMatchObject({ utteranceId: 2, words: [{ text: ' 시작합니다' }] });
});

test('utterances that ended while a window was under way share the next one', () => {
  const speech = speechOf([word('a'), word('b', 1500), word('c', 1500), word('d', 1500)]);
  const host = new Host(speech);
  while (!host.isOver) host.hearMs(200);
  expect(host.requests).toHaveLength(1);
  host.answer(host.requests[0]!);
  host.give({ type: 'end' });
  answerAll(host);
  expect(host.requests).toHaveLength(2);
  expect(host.text).toBe(' a b c d');
  const ids = host.events.flatMap((event) =>
    event.type === 'final' && event.endsUtterance ? event.utteranceId : [],
  );
  expect(ids).toEqual([1, 2, 3, 4]);
});

test('finalize makes everything said so far final without ending the session', () => {
  const speech = speechOf(Array.from({ length: 8 }, (_, index) => word(`w${index}`)));
  const host = new Host(speech);
  for (let piece = 0; piece < 8; piece++) host.hearMs(200);
  host.give({ type: 'finalize' });
  answerAll(host);
  answerAll(host);
  expect(host.text.length).toBeGreaterThan(0);
  expect(host.state.utterances).toEqual([]);
  expect(host.state.isEnded).toBe(false);
});

test('speech without a pause is cut below the length of a window and nothing is lost', () => {
  const speech = speechOf(Array.from({ length: 400 }, (_, index) => word(`n${index}`, 20)));
  const host = new Host(speech);
  while (!host.isOver) host.hearMs(1000); // No answer: the backlog grows to two minutes.
  host.give({ type: 'end' });
  answerAll(host);
  for (const { start, end } of host.requests) expect(end - start).toBeLessThanOrEqual(28 * SECOND);
  expect(host.text).toBe(said(speech));
});

test('long windows are trimmed, so that each stays short when answers come', () => {
  const speech = speechOf(Array.from({ length: 200 }, (_, index) => word(`n${index}`, 20)));
  const longest = Math.max(...play(speech).requests.map(({ start, end }) => end - start));
  expect(longest).toBeLessThanOrEqual(16 * SECOND);
});

test('a window that is given up is reported as a gap, and the rest goes on', () => {
  const speech = speechOf([word('lost'), word('kept', 1500)]);
  const host = new Host(speech);
  while (!host.isOver) {
    host.hearMs(200);
    const { inFlight } = host.state;
    if (inFlight && inFlight.utteranceId === 1) host.give({ type: 'given-up', seq: inFlight.seq });
    else answerAll(host);
  }
  host.give({ type: 'end' });
  answerAll(host);
  expect(host.text).toBe(' kept');
  expect(host.events.filter(({ type }) => type === 'gap')).toHaveLength(1);
});

test('a language is taken when it is certain and questioned after doubtful utterances', () => {
  const speech = speechOf([word('a'), word('b', 1500), word('c', 1500), word('d', 1500)]);
  const host = new Host(speech);
  host.state = initialLiveState(null);
  const confidences = [0.9, 0.2, 0.2, 0.9];
  while (!host.isOver) {
    host.hearMs(100);
    const { inFlight } = host.state;
    if (!inFlight) continue;
    const confidence = confidences[inFlight.utteranceId - 1]!;
    const range = { start: inFlight.start, end: inFlight.end };
    const words = [{ text: ' x', range, confidence }];
    const result = { words, language: 'ko', languageProbability: 0.9 };
    host.give({ type: 'result', seq: inFlight.seq, result });
  }
  const asked = new Map(host.requests.map(({ utteranceId, language }) => [utteranceId, language]));
  expect(host.requests[0]!.language).toBeNull();
  expect(asked.get(2)).toBe('ko');
  expect(host.requests.find(({ utteranceId }) => utteranceId === 4)!.language).toBeNull();
});

const anyScript = fc.array(
  fc.record({
    text: fc.constantFrom('네', '네', '그', '회의', '확인해', 'the', 'yes', 'meeting', '음'),
    lengthMs: fc.integer({ min: 150, max: 900 }),
    pauseMs: fc.oneof(fc.integer({ min: 20, max: 200 }), fc.integer({ min: 700, max: 3000 })),
  }),
  { minLength: 1, maxLength: 40 },
);

/** What the network does to each window, in turn. */
const anyFate = fc.array(
  fc.record({
    kind: fc.constantFrom('answer', 'answer', 'answer', 'fail', 'repeat', 'stale', 'late'),
    jitter: fc.integer({ min: 0, max: 900 }),
    garbleTail: fc.boolean(),
    hearMs: fc.integer({ min: 50, max: 1500 }),
  }),
  { minLength: 1, maxLength: 20 },
);

test('whatever is lost, late, repeated or wrong at its tail: every word is final once, in order', () => {
  fc.assert(
    fc.property(anyScript, anyFate, (script, fates) => {
      const speech = speechOf(script);
      const host = new Host(speech);
      let turn = 0;
      const settle = (): void => {
        const { inFlight } = host.state;
        if (!inFlight) return;
        const fate = fates[turn++ % fates.length]!;
        if (fate.kind === 'late') return;
        if (fate.kind === 'fail') host.give({ type: 'failed', seq: inFlight.seq });
        else host.answer(inFlight, fate);
        if (fate.kind === 'repeat') host.answer(inFlight, fate);
        if (fate.kind === 'stale' && host.requests.length > 1) host.answer(host.requests[0]!);
      };
      while (!host.isOver) {
        host.hearMs(fates[turn % fates.length]!.hearMs);
        settle();
      }
      host.give({ type: 'end' });
      for (let tries = 0; tries < 200 && !host.state.isEnded; tries++) answerAll(host);
      expect(host.state.isEnded).toBe(true);
      expect(host.text).toBe(said(speech));
      let end = 0;
      for (const { range } of host.finals) {
        expect(range.start).toBeGreaterThanOrEqual(end);
        expect(range.end).toBeGreaterThanOrEqual(range.start);
        end = range.end;
      }
      expect(host.events.filter(({ type }) => type === 'ended')).toHaveLength(1);
    }),
    { numRuns: 2000 },
  );
});
