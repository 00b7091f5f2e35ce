import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type SampleRange, secToSamples } from '../../../audio/time.ts';
import type { RecognizedToken } from '../../../pipeline/contracts.ts';
import { heardPart, unheardPart } from '../../../pipeline/heard-part.ts';
import { DEFAULT_TRANSCRIBE_OPTIONS } from '../../../pipeline/options.ts';
import { type ChunkResult, recognizeChunk } from '../../../pipeline/recognize-chunk.ts';
import { windowSamplesOf } from '../../../pipeline/time-map.ts';
import { type RecognitionScript, ScriptedRecognizer } from '../../fakes/scripted-recognizer.ts';
import { chunksOfSpeech, prepare, rangeOf, textsOf } from './transcribe-scenario.ts';

const OPTIONS = { ...DEFAULT_TRANSCRIBE_OPTIONS, language: 'en', previousText: '' };
const neverAborted = new AbortController().signal;

const time = (sec: number): RecognizedToken => ({
  kind: 'timestamp',
  offsetSamples: secToSamples(sec),
  logProb: -0.1,
});

/** A chunk from 100 s on whose samples count the seconds, with speech all over it. */
const chunkOf = (
  durationSec: number,
  regions: readonly SampleRange[] = [rangeOf(100, 100 + durationSec)],
) => ({
  pieces: [rangeOf(100, 100 + durationSec)],
  regions,
  waveform: Float32Array.from({ length: secToSamples(durationSec) }, (_, i) => 100 + i / 16_000),
});

const recognize = (
  script: RecognitionScript | ScriptedRecognizer,
  chunk = chunkOf(20),
  options = {},
) => {
  const recognizer = script instanceof ScriptedRecognizer ? script : new ScriptedRecognizer(script);
  const result = recognizeChunk(chunk, { ...OPTIONS, ...options }, recognizer, neverAborted);
  return { recognizer, result };
};

/** Says up to 12 s of the first window and begins another segment there; the rest whole. */
function breakingOff(): ScriptedRecognizer {
  const recognizer: ScriptedRecognizer = new ScriptedRecognizer(() =>
    recognizer.requests.length === 1
      ? { tokens: [time(0), recognizer.textToken('ask not'), time(12), time(12)] }
      : {
          tokens: [time(0), recognizer.textToken(' what your'), time(8)],
          languageProbability: 0.3,
        },
  );
  return recognizer;
}

test('where a text ends with the beginning of another segment, the rest is read from there', async () => {
  const { recognizer, result } = recognize(breakingOff());
  expect(await result).toMatchObject({
    segments: [
      { text: 'ask not', range: rangeOf(100, 112) },
      { text: 'what your', range: rangeOf(112, 120) },
    ],
    languageProbability: 1,
    windowCount: 2,
    attemptCount: 2,
    missing: null,
  });
  const [, rest] = recognizer.requests;
  expect(rest!.waveform[0]).toBeCloseTo(112);
  expect(rest!.waveform).toHaveLength(secToSamples(8));
});

test('where only the first attempt is asked for, the rest has one decode as well', async () => {
  const recognizer: ScriptedRecognizer = new ScriptedRecognizer(() =>
    recognizer.requests.length === 1
      ? { tokens: [time(0), recognizer.textToken('ask not'), time(12), time(12)] }
      : { tokens: [time(0), recognizer.textToken(' murmur'), time(8)], avgLogProb: -2 },
  );
  const { result } = recognize(recognizer, chunkOf(20), { attempts: 'first' });
  expect(await result).toMatchObject({ windowCount: 2, attemptCount: 2, isUnfinished: true });
});

test('words of the rest are where they are in the recording', async () => {
  const { result } = recognize(breakingOff());
  const { segments } = (await result) as ChunkResult;
  const [, rest] = segments;
  expect(rest!.words).toHaveLength(1);
  expect(rest!.words[0]!.range.start).toBeGreaterThanOrEqual(secToSamples(112));
  expect(rest!.words[0]!.range.end).toBeLessThanOrEqual(secToSamples(120));
});

test('a rest without speech is not read, nor one that the text says nothing follows in', async () => {
  const breath = chunkOf(20, [rangeOf(100, 112), rangeOf(119.6, 120)]);
  const paused = recognize(breakingOff(), breath);
  expect(await paused.result).toMatchObject({ windowCount: 1 });
  const closed = recognize(({ temperature }) => ({
    tokens: [time(0), { kind: 'text', id: 0, logProb: 0 }, time(19.2)],
    temperature,
  }));
  expect(await closed.result).toMatchObject({ windowCount: 1 });
});

test('speech of more than a second behind the last timestamp is read, announced or not', async () => {
  const recognizer: ScriptedRecognizer = new ScriptedRecognizer(({ waveform }) => ({
    tokens: [time(0), recognizer.textToken('ask'), time(Math.min(15, waveform.length / 16_000))],
  }));
  const { result } = recognize(recognizer);
  expect(await result).toMatchObject({
    windowCount: 2,
    segments: [{}, { range: rangeOf(115, 120) }],
  });
});

test('where a text says that nothing follows, a rest is tried once and must be certain', async () => {
  const recognizer: ScriptedRecognizer = new ScriptedRecognizer(() =>
    recognizer.requests.length === 1
      ? { tokens: [time(0), recognizer.textToken('ask'), time(15)] }
      : { text: ' mumble', avgLogProb: -1.4 },
  );
  const { result } = recognize(recognizer);
  expect(await result).toMatchObject({
    segments: [{ text: 'ask' }],
    windowCount: 2,
    attemptCount: 2,
  });
});

test('a segment that the limit of tokens broke off is said again from its beginning', async () => {
  const recognizer: ScriptedRecognizer = new ScriptedRecognizer(() =>
    recognizer.requests.length === 1
      ? {
          tokens: [
            ...[time(0), recognizer.textToken('ask not'), time(12), time(12.5)],
            recognizer.textToken(' what yo'),
          ],
          stoppedBy: 'limit',
        }
      : { text: ' what your country' },
  );
  const { segments } = (await recognize(recognizer).result) as ChunkResult;
  expect(segments.map(({ text }) => text)).toEqual(['ask not', 'what your country']);
  expect(recognizer.requests[1]!.waveform[0]).toBeCloseTo(112.5);
});

test('reading on ends by itself, however little each window says', async () => {
  const recognizer: ScriptedRecognizer = new ScriptedRecognizer(() => ({
    tokens: [time(0), recognizer.textToken(' um'), time(1), time(1)],
  }));
  const { result } = recognize(recognizer, chunkOf(30));
  expect(await result).toMatchObject({ windowCount: 6, attemptCount: 6 });
  const stuck = recognize(() => ({ tokens: [time(0), time(0)] }), chunkOf(30));
  expect(await stuck.result).toMatchObject({ windowCount: 1 });
});

test('the rest has the language, and where it is wanted the text, of what came before it', async () => {
  const options = { language: null, prompt: 'Kennedy', previousText: 'Well.' };
  const { recognizer, result } = recognize(breakingOff(), chunkOf(20), {
    ...options,
    conditionOnPreviousText: true,
  });
  await result;
  expect(recognizer.requests.map((r) => [r.language, r.prompt, r.previousText])).toEqual([
    [null, 'Kennedy', 'Well.'],
    ['en', 'Kennedy', 'Well. ask not'],
  ]);
});

test('a rest that cannot be recognised is named, and what was said before it stays', async () => {
  const recognizer: ScriptedRecognizer = new ScriptedRecognizer(() => {
    if (recognizer.requests.length > 1) throw new Error('engine');
    return { tokens: [time(0), recognizer.textToken('ask not'), time(12), time(12)] };
  });
  const { segments, warnings } = await prepare({ speech: chunksOfSpeech(1), recognizer }).run();
  expect(textsOf(segments)).toEqual(['ask not']);
  expect(recognizer.requests).toHaveLength(3);
  expect(warnings).toMatchObject([{ code: 'CHUNK_FAILED', count: 1 }]);
  const { start, end } = warnings[0]!.ranges![0]!;
  expect(Math.abs(start - secToSamples(16.8))).toBeLessThanOrEqual(512);
  expect(Math.abs(end - secToSamples(25.2))).toBeLessThanOrEqual(512);
});

test('heard and unheard part make the chunk, over removed pauses too', () => {
  const steps = fc.array(
    fc.tuple(fc.integer({ min: 1, max: 90_000 }), fc.integer({ min: 8000, max: 90_000 })),
    { minLength: 1, maxLength: 4 },
  );
  fc.assert(
    fc.property(steps, fc.nat(1500), fc.boolean(), (lengths, step, isPair) => {
      let at = 0;
      const pieces = lengths.map(([pause, length]) => {
        const start = at + pause;
        at = start + length;
        return { start, end: at };
      });
      const samples = windowSamplesOf(pieces);
      const chunk = { pieces, regions: pieces, waveform: new Float32Array(samples) };
      const offset = { kind: 'timestamp' as const, offsetSamples: 320 * step, logProb: 0 };
      const tokens = [{ kind: 'text' as const, id: 0, logProb: 0 }, offset];
      const recognition = {
        tokens: isPair ? [...tokens, offset] : tokens,
        avgLogProb: 0,
        noSpeechProb: 0,
        language: 'en',
        languageProbability: 1,
      };
      const heard = heardPart(recognition, samples);
      expect(heard.endSamples).toBeGreaterThan(0);
      expect(heard.endSamples).toBeLessThanOrEqual(samples);
      const rest = unheardPart(chunk, heard);
      if (rest === null) {
        expect(samples - heard.endSamples).toBeLessThan(16_000);
        return;
      }
      expect(rest.waveform.length).toBe(samples - heard.endSamples);
      expect(windowSamplesOf(rest.pieces)).toBe(rest.waveform.length);
      expect(rest.pieces.at(-1)!.end).toBe(pieces.at(-1)!.end);
      expect(rest.regions).toEqual(rest.pieces);
    }),
  );
});
