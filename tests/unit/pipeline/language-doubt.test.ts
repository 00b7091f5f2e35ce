import { expect, test } from 'vitest';
import { ScriptedRecognizer } from '../../fakes/scripted-recognizer.ts';
import { chunksOfSpeech, prepare } from './transcribe-scenario.ts';

/** What a recording of two chunks is warned of, whose words are as certain as said. */
async function warningsOf({
  logProb = -0.1,
  languages = ['en'],
  probability = 0.9,
  options = {},
}: {
  readonly logProb?: number;
  readonly languages?: readonly string[];
  readonly probability?: number;
  readonly options?: object;
}): Promise<string[]> {
  const recognizer: ScriptedRecognizer = new ScriptedRecognizer(
    ({ language }) => ({
      tokens: [recognizer.textToken('words', logProb)],
      avgLogProb: Math.max(logProb, -0.9),
      ...(language === null && { language: 'ko', languageProbability: probability }),
    }),
    { languages },
  );
  const { run } = prepare({
    speech: chunksOfSpeech(2),
    recognizer,
    options: { language: null, ...options },
  });
  const { warnings } = await run();
  return warnings.map(({ code }) => code);
}

const BOTH = ['en', 'ko'];

test('a doubtful text of a model of one language may be in another one', async () => {
  expect(await warningsOf({ logProb: Math.log(0.45) })).toEqual(['LANGUAGE_DOUBTFUL']);
  expect(await warningsOf({ logProb: Math.log(0.7) })).toEqual([]);
});

test('who gives the language, or a single candidate, is not told to doubt it', async () => {
  const logProb = Math.log(0.3);
  expect(await warningsOf({ logProb, options: { language: 'en' } })).toEqual([]);
});

test('candidates of which the model knows one are no better than none', async () => {
  const logProb = Math.log(0.3);
  expect(await warningsOf({ logProb, options: { languages: BOTH } })).toEqual([
    'LANGUAGE_DOUBTFUL',
  ]);
});

test('a detection with little certainty is told, whatever the text', async () => {
  expect(await warningsOf({ languages: BOTH, probability: 0.4 })).toEqual(['LANGUAGE_DOUBTFUL']);
  expect(await warningsOf({ languages: BOTH, probability: 0.9 })).toEqual([]);
  expect(await warningsOf({ languages: BOTH, probability: 0.9, logProb: -2 })).toEqual([]);
});

test('a language for each window needs no certainty of the recording', async () => {
  const options = { multilingual: true };
  expect(await warningsOf({ languages: BOTH, probability: 0.4, options })).toEqual([]);
});
