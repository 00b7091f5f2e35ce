import { expect, test } from 'vitest';
import type { ChunkOptions } from '../../../pipeline/attempt-window.ts';
import { DEFAULT_TRANSCRIBE_OPTIONS } from '../../../pipeline/options.ts';
import { recognizeChunk } from '../../../pipeline/recognize-chunk.ts';
import {
  type RecognitionScript,
  type ScriptedAnswer,
  ScriptedRecognizer,
} from '../../fakes/scripted-recognizer.ts';

const range = { start: 16_000, end: 32_000 };
const chunk = { pieces: [range], regions: [range], waveform: new Float32Array(16_000) };
const DEFAULTS = { ...DEFAULT_TRANSCRIBE_OPTIONS, language: 'en', previousText: '' };
const neverAborted = new AbortController().signal;

function recognize(script: RecognitionScript, changed: Partial<ChunkOptions> = {}) {
  const recognizer = new ScriptedRecognizer(script);
  const options = { ...DEFAULTS, ...changed };
  return { recognizer, result: recognizeChunk(chunk, options, recognizer, neverAborted) };
}

/** Answers that depend on the temperature alone. */
const byTemperature =
  (answers: Readonly<Record<number, ScriptedAnswer>>): RecognitionScript =>
  ({ temperature }) =>
    answers[temperature]!;

test('a good first result is taken as it is', async () => {
  const { recognizer, result } = recognize(() => ({ text: 'ask not' }));
  expect(await result).toMatchObject({
    segments: [{ text: 'ask not', range, temperature: 0 }],
    isSilent: false,
    attemptCount: 1,
  });
  expect(recognizer.requests).toHaveLength(1);
});

test('the request carries task, language, prompt and asks for timestamps', async () => {
  const { recognizer, result } = recognize(() => ({ text: 'ask not' }), {
    task: 'translate',
    language: 'ko',
    prompt: 'Kennedy',
  });
  await result;
  expect(recognizer.requests[0]).toMatchObject({
    task: 'translate',
    language: 'ko',
    prompt: 'Kennedy',
    timestamps: true,
    temperature: 0,
  });
});

test('a failing result is tried again at the next temperature until one passes', async () => {
  const { recognizer, result } = recognize(
    byTemperature({
      0: { text: 'la '.repeat(60) },
      0.2: { text: 'murmur', avgLogProb: -1.4 },
      0.4: { text: 'ask not' },
    }),
  );
  expect(await result).toMatchObject({
    segments: [{ text: 'ask not', temperature: 0.4 }],
    attemptCount: 3,
  });
  expect(recognizer.requests.map(({ temperature }) => temperature)).toEqual([0, 0.2, 0.4]);
});

test('when all temperatures fail the best result is taken, with the temperature it had', async () => {
  const { result } = recognize(
    byTemperature({
      0: { text: 'la '.repeat(60), avgLogProb: -0.1 },
      0.5: { text: 'ask not', avgLogProb: -1.2 },
      1: { text: 'mumble', avgLogProb: -2 },
    }),
    { temperatures: [0, 0.5, 1] },
  );
  expect(await result).toMatchObject({ segments: [{ text: 'ask not', temperature: 0.5 }] });
});

test('a silent window has no segments and is not tried again', async () => {
  const { recognizer, result } = recognize(() => ({
    text: 'you',
    noSpeechProb: 0.9,
    avgLogProb: -1.5,
  }));
  expect(await result).toMatchObject({ segments: [], isSilent: true, attemptCount: 1 });
  expect(recognizer.requests).toHaveLength(1);
});

test('a window that the model doubts but reads well keeps its segments', async () => {
  const { result } = recognize(() => ({ text: 'ask not', noSpeechProb: 0.9 }));
  expect(await result).toMatchObject({ segments: [{ text: 'ask not' }], isSilent: false });
});

test('the language of the first attempt holds for the others', async () => {
  const { recognizer, result } = recognize(
    ({ temperature }) =>
      temperature === 0
        ? { text: 'mumble', avgLogProb: -2, language: 'ko', languageProbability: 0.7 }
        : { text: '묻지 마라' },
    { language: null },
  );
  expect(await result).toMatchObject({ language: 'ko', languageProbability: 0.7 });
  expect(recognizer.requests.map(({ language }) => language)).toEqual([null, 'ko']);
});

test('no temperature at all is an error, not a guess', async () => {
  const { result } = recognize(() => ({ text: 'ask not' }), { temperatures: [] });
  await expect(result).rejects.toMatchObject({ code: 'INPUT_INVALID' });
});

test('an abort between two attempts stops them', async () => {
  const abort = new AbortController();
  const recognizer = new ScriptedRecognizer(() => ({ text: 'mumble', avgLogProb: -2 }));
  const textOf = recognizer.textOf.bind(recognizer);
  recognizer.textOf = (tokenIds) => {
    abort.abort();
    return textOf(tokenIds);
  };
  await expect(recognizeChunk(chunk, DEFAULTS, recognizer, abort.signal)).rejects.toThrow('abort');
  expect(recognizer.requests).toHaveLength(1);
});
