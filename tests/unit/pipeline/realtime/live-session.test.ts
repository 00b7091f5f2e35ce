import fc from 'fast-check';
import { expect, test } from 'vitest';
import { comparable } from '../../../../pipeline/realtime/comparable-text.ts';
import { initialLiveState } from '../../../../pipeline/realtime/session-state.ts';
import { ScriptedSession, SECOND, type Speech, said, speechOf } from './scripted-session.ts';

const word = (text: string, pauseMs = 50) => ({ text, lengthMs: 300, pauseMs });

/** Plays everything, answering each window at once. */
function play(speech: Speech): ScriptedSession {
  const host = new ScriptedSession(speech);
  while (!host.isOver) {
    host.hearMs(200);
    answerAll(host);
  }
  host.give({ type: 'end' });
  answerAll(host);
  return host;
}

function answerAll(host: ScriptedSession): void {
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
  const host = new ScriptedSession(speech);
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
  const host = new ScriptedSession(speech);
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
  const host = new ScriptedSession(speech);
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
  const host = new ScriptedSession(speech);
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
  const host = new ScriptedSession(speech);
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

/** More of them: `REALTIME_SESSIONS=200000 npx vitest run tests/unit/pipeline/realtime`. */
const SESSIONS = Number(process.env['REALTIME_SESSIONS'] ?? 10_000);
const SEED = process.env['REALTIME_SESSIONS'] === undefined ? { seed: 20_231 } : {};
/** Steps of 100 ms: what happens between words is the same, and a session takes a fifth of the time. */
const COARSE_FRAME = SECOND / 10;
/** Two words alike start at least 170 ms apart; beyond a quarter of it none could tell which is which. */
const MAX_JITTER = 640;

const anyScript = fc.array(
  fc.record({
    text: fc.constantFrom('네', '네', '그', '회의', '확인해', 'the', 'yes', 'meeting', '음'),
    lengthMs: fc.integer({ min: 150, max: 900 }),
    pauseMs: fc.oneof(fc.integer({ min: 20, max: 200 }), fc.integer({ min: 700, max: 3000 })),
  }),
  { minLength: 1, maxLength: 20 },
);

/** What the network does to each window, in turn. */
const anyFate = fc.array(
  fc.record({
    kind: fc.constantFrom('answer', 'answer', 'answer', 'fail', 'repeat', 'stale', 'late'),
    jitter: fc.integer({ min: 0, max: MAX_JITTER }),
    garbleTail: fc.boolean(),
    spacing: fc.array(fc.constantFrom('as-is', 'as-is', 'join', 'split'), { maxLength: 7 }),
    hearMs: fc.integer({ min: 50, max: 1500 }),
    /** Asks for all that was said so far, in the middle of it. */
    finalize: fc.integer({ min: 0, max: 9 }).map((chance) => chance === 0),
  }),
  { minLength: 1, maxLength: 20 },
);

type Fate = typeof anyFate extends fc.Arbitrary<(infer F)[]> ? F : never;

function playUnder(fates: readonly Fate[], speech: Speech, isSpaced = true): ScriptedSession {
  const hearing = ({ spacing, ...fate }: Fate) =>
    isSpaced ? fate : { ...fate, spacing, garbleTail: false };
  const session = new ScriptedSession(speech, COARSE_FRAME);
  for (let turn = 0; !session.isOver; turn++) {
    const fate = fates[turn % fates.length]!;
    session.hearMs(fate.hearMs);
    if (fate.finalize) session.give({ type: 'finalize' });
    const { inFlight } = session.state;
    if (!inFlight || fate.kind === 'late') continue;
    if (fate.kind === 'fail') session.give({ type: 'failed', seq: inFlight.seq });
    else session.answer(inFlight, hearing(fate));
    if (fate.kind === 'repeat') session.answer(inFlight, hearing(fate));
    if (fate.kind === 'stale') session.answer(session.requests[0]!);
  }
  session.give({ type: 'end' });
  answerAll(session);
  return session;
}

test('whatever is lost, late, repeated or wrong at its tail: every word is final once, in order', () => {
  fc.assert(
    fc.property(anyScript, anyFate, (script, fates) => {
      const speech = speechOf(script);
      const session = playUnder(fates, speech);
      expect(session.state.isEnded).toBe(true);
      expect(session.text).toBe(said(speech));
      let end = 0;
      for (const { range } of session.finals) {
        if (range.start < end || range.end < range.start) expect.fail('finals are out of order');
        end = range.end;
      }
      expect(session.events.filter(({ type }) => type === 'ended')).toHaveLength(1);
    }),
    { numRuns: SESSIONS, ...SEED },
  );
});

const anyUnspacedScript = fc.array(
  fc.record({
    text: fc.constantFrom('네', '네', '할', '수', '있다', '회의', '회의가', '10', '000', '음'),
    lengthMs: fc.integer({ min: 150, max: 900 }),
    pauseMs: fc.oneof(fc.integer({ min: 20, max: 200 }), fc.integer({ min: 700, max: 3000 })),
  }),
  { minLength: 1, maxLength: 20 },
);

test('wherever windows put spaces: everything said is final once, and spaced by one of them', () => {
  fc.assert(
    fc.property(anyUnspacedScript, anyFate, (script, fates) => {
      const speech = speechOf(script);
      const session = playUnder(fates, speech, false);
      expect(comparable(session.text)).toBe(comparable(said(speech)));
    }),
    { numRuns: SESSIONS / 2, ...SEED },
  );
});
