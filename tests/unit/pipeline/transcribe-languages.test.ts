import { expect, test } from 'vitest';
import { chunksOfSpeech, prepare, textsOf } from './transcribe-scenario.ts';

/** What each chunk of `chunksOfSpeech` is taken for when its language is to be detected. */
function heard(guesses: readonly (readonly [string, number])[], options = {}) {
  return prepare({
    speech: chunksOfSpeech(guesses.length),
    script: ({ language, waveform }) => {
      const [guess, languageProbability] = guesses[Math.round((waveform[0]! - 5) / 35)]!;
      return language === null
        ? { text: `in ${guess}`, language: guess, languageProbability }
        : { text: `in ${language}` };
    },
    options: { language: null, ...options },
  });
}

test('a doubtful first chunk is outvoted, and said again in the language of the recording', async () => {
  const { run, recognizer } = heard([
    ['ja', 0.5],
    ['ko', 0.7],
    ['ko', 0.75],
    ['ko', 0.75],
    ['ja', 0.9],
  ]);
  const transcript = await run();
  expect(transcript.language).toBe('ko');
  expect(transcript.languageProbability).toBeCloseTo((0.7 + 0.75 + 0.75) / 4);
  expect(textsOf(transcript.segments)).toEqual(Array(5).fill('in ko'));
  expect(recognizer.requests.map(({ language }) => language)).toEqual([
    ...[null, null, null, null],
    ...['ko', 'ko'],
  ]);
});

test('listening takes one decode of each chunk; what failed the checks has its fallback in the language', async () => {
  const { run, recognizer } = prepare({
    speech: chunksOfSpeech(2),
    script: ({ language, temperature, waveform }) => ({
      text: `${language} ${temperature}`,
      languageProbability: 0.9,
      ...(language === null && { language: 'ko' }),
      avgLogProb: waveform[0]! < 30 && temperature < 0.4 ? -2 : -0.1,
    }),
    options: { language: null },
  });
  const { segments } = await run();
  expect(textsOf(segments)).toEqual(['ko 0.4', 'null 0']);
  expect(recognizer.requests.map(({ language, temperature }) => [language, temperature])).toEqual([
    ...[
      [null, 0],
      [null, 0],
    ],
    ['ko', 0.2],
    ['ko', 0.4],
  ]);
});

test('so many chunks are listened to as asked for', async () => {
  const guesses: [string, number][] = [
    ['ja', 0.5],
    ['ko', 0.7],
    ['ko', 0.7],
  ];
  expect(await heard(guesses, { languageDetectionChunks: 1 }).run()).toMatchObject({
    language: 'ja',
    languageProbability: 0.5,
  });
  expect(await heard(guesses, { languageDetectionChunks: 3 }).run()).toMatchObject({
    language: 'ko',
  });
});

test('a recording that ends before the language is certain has the likeliest', async () => {
  const { run } = heard([
    ['ko', 0.4],
    ['ja', 0.5],
  ]);
  const { language, segments } = await run();
  expect(language).toBe('ja');
  expect(textsOf(segments)).toEqual(['in ja', 'in ja']);
});

test('what was said in the wrong language is not gone on from', async () => {
  const { run, recognizer } = heard(
    [
      ['ja', 0.5],
      ['ko', 0.7],
      ['ko', 0.9],
    ],
    { languageDetectionChunks: 2, conditionOnPreviousText: true },
  );
  await run();
  expect(recognizer.requests.map(({ previousText }) => previousText)).toEqual([
    ...[undefined, 'in ja', undefined],
    'in ko in ko',
  ]);
});

test('people who switch have a language in each segment, and the recording the likeliest', async () => {
  const { run, recognizer } = heard(
    [
      ['ko', 0.9],
      ['en', 0.8],
      ['ko', 0.7],
    ],
    { multilingual: true },
  );
  const { language, segments } = await run();
  expect(language).toBe('ko');
  expect(segments.map((segment) => segment.language)).toEqual(['ko', 'en', 'ko']);
  expect(recognizer.requests.every((request) => request.language === null)).toBe(true);
});
