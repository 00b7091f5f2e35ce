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
  return recognizeWith(new ScriptedRecognizer(script), changed);
}

function recognizeWith(
  recognizer: ScriptedRecognizer,
  changed: Partial<ChunkOptions> = {},
  sec = 1,
) {
  const end = range.start + sec * 16_000;
  const whole = { ...range, end };
  const waveform = new Float32Array(sec * 16_000);
  const spoken = { pieces: [whole], regions: [whole], waveform };
  const options = { ...DEFAULTS, ...changed };
  return { recognizer, result: recognizeChunk(spoken, options, recognizer, neverAborted) };
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

/** Answers that depend on the beams and the temperature. */
const searching = (answers: Readonly<Record<string, ScriptedAnswer>>): ScriptedRecognizer =>
  new ScriptedRecognizer(
    ({ temperature, rules }) => answers[rules?.beamSize ? 'beams' : temperature]!,
    { retryBeamSize: 5 },
  );
const stepsOf = ({ requests }: ScriptedRecognizer) =>
  requests.map(({ temperature, rules }) => [temperature, rules?.beamSize ?? 1]);

test('a doubtful utterance is searched again with beams, whose text is taken', async () => {
  const { recognizer, result } = recognizeWith(
    searching({
      0: { text: 'I scream', avgLogProb: -0.4 },
      beams: { text: 'ice cream', avgLogProb: -0.35 },
    }),
  );
  expect(await result).toMatchObject({ segments: [{ text: 'ice cream' }], attemptCount: 2 });
  expect(stepsOf(recognizer)).toEqual([
    [0, 1],
    [0, 5],
  ]);
});

test('what beams find is not taken where it is far less likely', async () => {
  const { result } = recognizeWith(
    searching({
      0: { text: 'ice cream', avgLogProb: -0.4 },
      beams: { text: 'I scream', avgLogProb: -0.6 },
    }),
  );
  expect(await result).toMatchObject({ segments: [{ text: 'ice cream' }] });
});

test.each([
  { sec: 12, avgLogProb: -0.29, attemptCount: 1 },
  { sec: 12, avgLogProb: -0.31, attemptCount: 2 },
  { sec: 13, avgLogProb: -0.69, attemptCount: 1 },
  { sec: 13, avgLogProb: -0.71, attemptCount: 2 },
])('a window of $sec s at $avgLogProb takes $attemptCount attempts', async (each) => {
  const { sec, avgLogProb, attemptCount } = each;
  const recognizer = searching({ 0: { text: 'a', avgLogProb }, beams: { text: 'b', avgLogProb } });
  const { result } = recognizeWith(recognizer, {}, sec);
  expect(await result).toMatchObject({ attemptCount });
});

test('temperatures follow where beams fail the quality checks too', async () => {
  const { recognizer, result } = recognizeWith(
    searching({
      0: { text: 'murmur', avgLogProb: -2 },
      beams: { text: 'mumble', avgLogProb: -1.5 },
      0.2: { text: 'ask not' },
    }),
  );
  expect(await result).toMatchObject({ segments: [{ text: 'ask not', temperature: 0.2 }] });
  expect(stepsOf(recognizer)).toEqual([
    [0, 1],
    [0, 5],
    [0.2, 1],
  ]);
});

test.each([
  ['says how many beams', { rules: { beamSize: 1 } }],
  ['begins above temperature 0', { temperatures: [0.2] }],
])('no second search where the job %s', async (_, changed) => {
  const recognizer = new ScriptedRecognizer(() => ({ text: 'murmur', avgLogProb: -0.9 }), {
    retryBeamSize: 5,
  });
  const { result } = recognizeWith(recognizer, changed);
  expect(await result).toMatchObject({ attemptCount: 1 });
});

test('the first attempt alone says whether others would follow', async () => {
  const doubtful = searching({ 0: { text: 'murmur', avgLogProb: -0.4 } });
  const { result } = recognizeWith(doubtful, { attempts: 'first' });
  expect(await result).toMatchObject({ attemptCount: 1, isUnfinished: true, isAccepted: true });
  const certain = recognizeWith(searching({ 0: { text: 'ask not' } }), { attempts: 'first' });
  expect(await certain.result).toMatchObject({ isUnfinished: false });
});

test('the others follow a first attempt that is known already', async () => {
  const recognizer = searching({ beams: { text: 'ice cream', avgLogProb: -0.3 } });
  const { result } = recognizeWith(recognizer, { attempts: 'others' });
  expect(await result).toMatchObject({ segments: [{ text: 'ice cream' }], attemptCount: 1 });
});
