import { expect, test } from 'vitest';
import { secToSamples } from '../../../audio/time.ts';
import { ScriptedRecognizer } from '../../fakes/scripted-recognizer.ts';
import {
  chunkNumber,
  chunksOfSpeech,
  prepare,
  rangeOf,
  soon,
  textsOf,
} from './transcribe-scenario.ts';

test('a recording becomes segments in time order, with its language and model', async () => {
  const { run } = prepare();
  expect(await run()).toMatchObject({
    segments: [{ text: 'chunk 0' }, { text: 'chunk 1' }, { text: 'chunk 2' }],
    language: 'en',
    languageProbability: 1,
    audioSamples: secToSamples(105),
    modelName: 'openai/whisper-scripted',
    warnings: [],
  });
});

test('segments lie where the chunk was, pads included', async () => {
  const { segments } = await prepare({ speech: [rangeOf(5, 25)] }).run();
  const { start: first, end } = segments[0]!.range;
  expect(Math.abs(first - secToSamples(4.8))).toBeLessThanOrEqual(512);
  expect(Math.abs(end - secToSamples(25.2))).toBeLessThanOrEqual(512);
});

test('results that come in any order are handed on in the order of the recording', async () => {
  const texts: string[] = [];
  let turn = 0;
  const { run, recognizer } = prepare({
    speech: chunksOfSpeech(12),
    script: async (request, signal) => {
      const turns = [9, 0, 4, 1][turn++ % 4]!;
      for (let waited = 0; waited < turns; waited++) await soon();
      return chunkNumber(request, signal);
    },
    hooks: { onSegments: (segments) => texts.push(...textsOf(segments)) },
  });
  const { segments } = await run();
  expect(texts).toEqual(Array.from({ length: 12 }, (_, index) => `chunk ${index}`));
  expect(textsOf(segments)).toEqual(texts);
  expect(recognizer.maxInFlight).toBeGreaterThan(1);
});

test('two batches are in flight as long as there are chunks, and never more', async () => {
  const inFlight: number[] = [];
  const recognizer: ScriptedRecognizer = new ScriptedRecognizer(
    async (request, signal) => {
      for (let waited = 0; waited < 20; waited++) await soon();
      inFlight.push(recognizer.inFlight);
      return chunkNumber(request, signal);
    },
    { batchSize: 3 },
  );
  await prepare({ speech: chunksOfSpeech(30), recognizer }).run();
  expect(recognizer.maxInFlight).toBe(6);
  expect(inFlight.filter((count) => count === 6).length).toBeGreaterThan(5);
});

test('chunks are released a batch at a time, so that the first batch is a full one', async () => {
  const piecesAtRequest: number[] = [];
  const recognizer = new ScriptedRecognizer(
    (request, signal) => {
      piecesAtRequest.push(voiceActivity.pushedSamples.length);
      return chunkNumber(request, signal);
    },
    { batchSize: 4 },
  );
  const { run, voiceActivity } = prepare({ speech: chunksOfSpeech(10), recognizer });
  await run();
  expect(new Set(piecesAtRequest.slice(0, 4)).size).toBe(1);
  expect(new Set(piecesAtRequest.slice(4, 8)).size).toBe(1);
});

test('one slow chunk does not hold back the others', async () => {
  let release: () => void = () => {};
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  const { run, recognizer } = prepare({
    speech: chunksOfSpeech(20),
    script: async (request, signal) => {
      if (request.waveform[0]! < 6) await held;
      else if (recognizer.requests.length === 20) release();
      return chunkNumber(request, signal);
    },
  });
  expect(textsOf((await run()).segments)).toHaveLength(20);
});

test('three hours are read in pieces, with few chunks in memory', async () => {
  const speech = Array.from({ length: 1080 }, (_, index) => rangeOf(10 * index, 10 * index + 9));
  const { run, recognizer, voiceActivity, waveform } = prepare({
    speech,
    durationSec: 3 * 3600,
    script: async () => {
      await soon();
      return { text: 'talk' };
    },
  });
  const { segments } = await run();
  expect(segments.at(-1)!.range.end).toBeGreaterThan(secToSamples(3 * 3600 - 2));
  expect(recognizer.maxSamplesInFlight).toBeLessThanOrEqual(4 * secToSamples(30));
  expect(Math.max(...voiceActivity.pushedSamples)).toBe(secToSamples(60));
  expect(Math.max(...waveform.readRanges.map(({ start, end }) => end - start))).toBe(
    secToSamples(60),
  );
});

test('a chunk is never longer than the window of the recogniser', async () => {
  class ShortWindows extends ScriptedRecognizer {
    override readonly maxWindowSamples = secToSamples(5);
  }
  const recognizer = new ShortWindows(() => ({ text: 'talk' }));
  await prepare({ speech: [rangeOf(0, 60)], recognizer }).run();
  const lengths = recognizer.requests.map(({ waveform }) => waveform.length);
  expect(Math.max(...lengths)).toBeLessThanOrEqual(secToSamples(5));
  expect(lengths.length).toBeGreaterThanOrEqual(12);
});

test('progress follows the recording, never falls and ends at 1', async () => {
  const fractions: number[] = [];
  await prepare({ hooks: { onProgress: (fraction) => fractions.push(fraction) } }).run();
  expect(fractions).toEqual(fractions.toSorted((a, b) => a - b));
  expect(fractions.at(-1)).toBe(1);
  expect(fractions[0]).toBeCloseTo(25.2 / 105, 2);
});

test('both stages report once what they took and did', async () => {
  const stages: [string, Readonly<Record<string, number>> | undefined][] = [];
  await prepare({
    script: ({ temperature }) => ({ text: 'talk', avgLogProb: temperature === 0 ? -2 : -0.1 }),
    hooks: {
      onStage: (stage, elapsedMs, details) => {
        expect(elapsedMs).toBeGreaterThanOrEqual(0);
        stages.push([stage, details]);
      },
    },
  }).run();
  expect(stages).toEqual([
    ['vad', { chunkCount: 3 }],
    ['recognize', { chunkCount: 3, windowCount: 3, attemptCount: 6 }],
  ]);
});

test('the prompt, the task and a given language go with every chunk', async () => {
  const { run, recognizer } = prepare({
    options: { prompt: 'Kennedy', task: 'translate', language: 'ko' },
  });
  await run();
  expect(recognizer.requests).toHaveLength(3);
  for (const request of recognizer.requests) {
    expect(request).toMatchObject({ prompt: 'Kennedy', task: 'translate', language: 'ko' });
  }
});

test('the language of the first chunks is taken for the others', async () => {
  const { run, recognizer } = prepare({
    script: ({ language }) =>
      language === null
        ? { text: '안녕', language: 'ko', languageProbability: 0.8 }
        : { text: '네' },
    options: { language: null },
  });
  const transcript = await run();
  expect(transcript).toMatchObject({ language: 'ko', languageProbability: 0.8 });
  expect(textsOf(transcript.segments)).toEqual(['안녕', '안녕', '네']);
  expect(recognizer.requests.map(({ language }) => language)).toEqual([null, null, 'ko']);
});

test('where voice activity runs beside the recogniser a chunk is recognised as soon as it is found', async () => {
  const { run, recognizer, voiceActivity } = prepare({ speech: chunksOfSpeech(9) });
  voiceActivity.isIndependent = true;
  let pushes = 0;
  voiceActivity.beforePush = async () => {
    if (++pushes < 3) return;
    while (recognizer.requests.length === 0) await soon(); // for ever, if a batch were waited for
  };
  expect((await run()).segments).toHaveLength(9);
});

test('a chunk without speech does not decide the language', async () => {
  const { run, recognizer } = prepare({
    script: ({ language, waveform }) => {
      if (waveform[0]! < 6) return { language: 'ja', noSpeechProb: 0.9, avgLogProb: -2 };
      return language === null ? { text: '안녕', language: 'ko' } : { text: '네' };
    },
    options: { language: null },
  });
  expect(await run()).toMatchObject({ language: 'ko' });
  expect(recognizer.requests.map(({ language }) => language)).toEqual([null, null, 'ko']);
});

test('the only language of a model needs no detection', async () => {
  const recognizer = new ScriptedRecognizer(chunkNumber, { languages: ['en'] });
  const { run } = prepare({ recognizer, options: { language: null } });
  expect(await run()).toMatchObject({ language: 'en', languageProbability: 0 });
  expect(recognizer.requests.every(({ language }) => language === 'en')).toBe(true);
});

test('silence has no segments, and the language is undetermined unless it was certain', async () => {
  const silence = { speech: [], durationSec: 100 };
  const unknown = await prepare({ ...silence, options: { language: null } }).run();
  expect(unknown).toMatchObject({ segments: [], language: 'und', languageProbability: 0 });
  const given = await prepare({ ...silence, options: { language: 'ko' } }).run();
  expect(given).toMatchObject({ segments: [], language: 'ko', languageProbability: 1 });
});

test('a recording without samples has an empty transcript', async () => {
  const { run, waveform } = prepare({ speech: [], durationSec: 0 });
  expect(await run()).toMatchObject({ segments: [], audioSamples: 0 });
  expect(waveform.readRanges).toEqual([]);
});

test('a language that the model does not know fails before anything is read', async () => {
  const { run, waveform } = prepare({ options: { language: 'fr' } });
  await expect(run()).rejects.toMatchObject({ code: 'LANGUAGE_UNSUPPORTED' });
  expect(waveform.readRanges).toEqual([]);
});

test('silence phrases are dropped, not handed on, and counted in a warning', async () => {
  const handedOn: string[] = [];
  const transcript = await prepare({
    script: (request, signal) =>
      request.waveform[0]! > 50
        ? { text: '시청해주셔서 감사합니다.', noSpeechProb: 0.8 }
        : chunkNumber(request, signal),
    hooks: { onSegments: (segments) => handedOn.push(...textsOf(segments)) },
  }).run();
  expect(handedOn).toEqual(['chunk 0', 'chunk 1']);
  expect(transcript).toMatchObject({
    segments: [{}, {}],
    warnings: [{ code: 'HALLUCINATION_DROPPED' }],
  });
});
