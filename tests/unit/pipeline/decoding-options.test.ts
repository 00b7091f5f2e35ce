import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { RecognizedToken } from '../../../pipeline/contracts.ts';
import { DEFAULT_TRANSCRIBE_OPTIONS } from '../../../pipeline/options.ts';
import { withoutLoop } from '../../../pipeline/repetition-loop.ts';
import { ScriptedRecognizer } from '../../fakes/scripted-recognizer.ts';
import { chunkNumber, chunksOfSpeech, prepare, soon, textsOf } from './transcribe-scenario.ts';

const GUARDS = DEFAULT_TRANSCRIBE_OPTIONS.guards;

test('rules, scheduling and the wish for word times go with every window', async () => {
  const rules = { beamSize: 5, suppressNumerals: true };
  const scheduling = { priority: 'file', tenant: 'a' } as const;
  const { run, recognizer } = prepare({ options: { rules, scheduling } });
  const { alignment, segments } = await run();
  for (const request of recognizer.requests) {
    expect(request).toMatchObject({ rules, scheduling, attention: true });
  }
  expect(alignment).toBe('attention');
  expect(segments.every(({ words }) => words.length === 1)).toBe(true);
});

test('without word times there are none, and the result says so', async () => {
  const { alignment, segments } = await prepare({ options: { wordTimes: false } }).run();
  expect(alignment).toBeNull();
  expect(segments.every(({ words }) => words.length === 0)).toBe(true);
});

test('a job never has more windows in flight than it may', async () => {
  const recognizer = new ScriptedRecognizer(
    async (request, signal) => {
      await soon();
      return chunkNumber(request, signal);
    },
    { batchSize: 8 },
  );
  const options = { maxWindowsInFlight: 3 };
  await prepare({ recognizer, speech: chunksOfSpeech(9), options }).run();
  expect(recognizer.maxInFlight).toBe(3);
});

test('a chunk goes on from what was said before it, but not from a guess', async () => {
  const { run, recognizer } = prepare({
    speech: chunksOfSpeech(4),
    script: async (request, signal) => ({
      ...(await chunkNumber(request, signal)),
      avgLogProb: request.waveform[0]! > 70 && request.temperature < 0.8 ? -2 : -0.1,
    }),
    options: { conditionOnPreviousText: true, prompt: 'Kennedy.' },
  });
  const { segments } = await run();
  expect(recognizer.maxInFlight).toBe(1);
  expect(textsOf(segments)).toHaveLength(4);
  const first = recognizer.requests.filter(({ temperature }) => temperature === 0);
  expect(first.map(({ prompt, previousText }) => [prompt, previousText])).toEqual([
    ['Kennedy.', undefined],
    ['Kennedy.', 'chunk 0'],
    ['Kennedy.', 'chunk 0 chunk 1'],
    ['Kennedy.', undefined],
  ]);
});

test('a loop that no temperature cures is kept once and counted; without the guard it stays', async () => {
  const recognizer = new ScriptedRecognizer(() => ({
    tokens: ['so', ...Array(20).fill([' thank', ' you']).flat()].map((text) =>
      recognizer.textToken(text),
    ),
    stoppedBy: 'loop',
  }));
  const speech = chunksOfSpeech(1);
  const guarded = await prepare({ recognizer, speech }).run();
  expect(textsOf(guarded.segments)).toEqual(['so thank you']);
  expect(guarded.segments[0]!.words.map(({ text }) => text)).toEqual(['so', 'thank', 'you']);
  expect(guarded.warnings).toMatchObject([{ code: 'REPETITION_DROPPED', count: 1 }]);
  expect(recognizer.requests).toHaveLength(6);

  const guards = { ...GUARDS, repetitionLoops: false };
  const whole = await prepare({ recognizer, speech, options: { guards } }).run();
  expect(textsOf(whole.segments)[0]).toHaveLength('so'.length + 20 * ' thank you'.length);
  expect(whole.warnings).toEqual([]);
});

test('windows without speech are counted; without the guard their text stays', async () => {
  const script = () => ({ text: 'you', noSpeechProb: 0.9, avgLogProb: -1.5 });
  const guarded = await prepare({ script }).run();
  expect(guarded).toMatchObject({
    segments: [],
    warnings: [{ code: 'SILENCE_DROPPED', count: 3 }],
  });
  const guards = { ...GUARDS, silentWindows: false };
  const { segments, warnings } = await prepare({ script, options: { guards } }).run();
  expect(textsOf(segments)).toEqual(['you', 'you', 'you']);
  expect(warnings).toEqual([]);
});

test('a phrase that is written over silence is dropped whether or not silent windows are', async () => {
  const script = () => ({ text: 'Thanks for watching!', noSpeechProb: 0.9, avgLogProb: -0.2 });
  const guards = { ...GUARDS, silentWindows: false };
  const { segments, warnings } = await prepare({ script, options: { guards } }).run();
  expect(segments).toEqual([]);
  expect(warnings).toMatchObject([{ code: 'HALLUCINATION_DROPPED', count: 3 }]);
});

test('text that is timed behind its window is dropped and counted; without the guard it stays', async () => {
  const recognizer = new ScriptedRecognizer(({ waveform }) => {
    const time = (offsetSamples: number) => ({
      kind: 'timestamp' as const,
      offsetSamples,
      logProb: -0.1,
    });
    return {
      tokens: [
        time(0),
        recognizer.textToken('so'),
        time(waveform.length),
        time(waveform.length + 3200),
        recognizer.textToken(' thank you'),
        time(waveform.length + 16_000),
      ],
    };
  });
  const speech = chunksOfSpeech(2);
  const guarded = await prepare({ recognizer, speech }).run();
  expect(textsOf(guarded.segments)).toEqual(['so', 'so']);
  expect(guarded.warnings).toMatchObject([{ code: 'PADDING_DROPPED', count: 2 }]);
  const guards = { ...GUARDS, paddingText: false };
  const whole = await prepare({ recognizer, speech, options: { guards } }).run();
  expect(textsOf(whole.segments)).toEqual(['so thank you', 'so thank you']);
  expect(whole.warnings).toEqual([]);
});

test('a prompt that the model cannot take whole is told of once, with how much is left out', async () => {
  const script = () => ({ text: 'talk', droppedPromptTokens: 77 });
  const { warnings } = await prepare({ script }).run();
  expect(warnings).toMatchObject([
    { code: 'PROMPT_CUT', count: 77, message: expect.stringContaining('the first 77 tokens') },
  ]);
});

test('without its loop a text is a beginning of itself, and what repeats stays once', () => {
  const ids = fc.array(fc.nat(3), { maxLength: 6 });
  fc.assert(
    fc.property(ids, fc.array(fc.nat(3), { minLength: 1, maxLength: 5 }), (head, cycle) => {
      const text = [...head, ...Array<number[]>(8).fill(cycle).flat()];
      const tokens: RecognizedToken[] = text.flatMap((id, place) => [
        { kind: 'text' as const, id, logProb: 0 },
        ...(place % 3 === 2
          ? [{ kind: 'timestamp' as const, offsetSamples: 320 * place, logProb: 0 }]
          : []),
      ]);
      const frames = 2;
      const weights = new Float32Array((text.length + 1) * frames);
      const attention = { weights, frames, samplesPerFrame: 320 };
      const trimmed = withoutLoop({
        tokens,
        attention,
        avgLogProb: 0,
        noSpeechProb: 0,
        language: 'en',
        languageProbability: 1,
      });
      const kept = trimmed.tokens.flatMap((token) => (token.kind === 'text' ? token.id : []));
      expect(text.slice(0, kept.length)).toEqual(kept);
      expect(kept.length).toBeLessThanOrEqual(head.length + cycle.length);
      expect(kept.length).toBeGreaterThanOrEqual(1);
      expect(trimmed.attention!.weights.length).toBe((kept.length + 1) * frames);
    }),
    { numRuns: 2000 },
  );
});
