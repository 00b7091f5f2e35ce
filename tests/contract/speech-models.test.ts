import { afterAll, beforeAll, expect, test } from 'vitest';
import { SAMPLE_RATE_HZ } from '../../audio/time.ts';
import { type LoadedModels, loadModels, WHISPER_TINY_EN } from '../../models/load-models.ts';
import { attentionWords } from '../../pipeline/alignment/attention-words.ts';
import type {
  RecognitionRequest,
  SpeechRecognizer,
  VoiceActivityModel,
} from '../../pipeline/contracts.ts';
import { ScriptedRecognizer } from '../fakes/scripted-recognizer.ts';
import { ScriptedVoiceActivity } from '../fakes/scripted-voice-activity.ts';
import { sampleWaveform } from '../golden/shared-data.ts';

/** What pipeline/ relies on, held to by the fakes that its tests use and by the real models alike. */
const { signal } = new AbortController();
const SAMPLE_END = 47 * SAMPLE_RATE_HZ;
let real: LoadedModels;

beforeAll(async () => {
  const settings = { device: 'cpu', threads: 0, computeType: 'auto', batchSize: 2 } as const;
  real = await loadModels({ ...settings, whisper: WHISPER_TINY_EN }, () => {});
});
afterAll(() => real.close());

const recognizers: readonly [string, () => SpeechRecognizer][] = [
  ['the scripted recogniser', () => new ScriptedRecognizer(() => ({ text: ' Good morning' }))],
  ['Whisper', () => real.recognizer],
];
const voiceActivities: readonly [string, () => VoiceActivityModel][] = [
  [
    'the scripted voice activity',
    () => new ScriptedVoiceActivity([{ start: 6400, end: SAMPLE_END }]),
  ],
  ['Silero VAD', () => real.voiceActivity],
];

const request = (more: Partial<RecognitionRequest> = {}): RecognitionRequest => ({
  waveform: sampleWaveform().slice(0, 5 * SAMPLE_RATE_HZ),
  task: 'transcribe',
  language: 'en',
  timestamps: true,
  temperature: 0,
  prompt: null,
  ...more,
});

test.each(recognizers)(
  '%s gives tokens, log-probabilities and a certain language',
  async (_, open) => {
    const recognizer = open();
    const result = await recognizer.recognize(request(), signal);
    const ids = result.tokens.flatMap((token) => (token.kind === 'text' ? [token.id] : []));
    expect(recognizer.textOf(ids)).toContain('Good morning');
    expect(result.tokens.every(({ logProb }) => logProb <= 0)).toBe(true);
    expect(result.avgLogProb).toBeLessThanOrEqual(0);
    expect(result.noSpeechProb).toBeGreaterThanOrEqual(0);
    expect(result.noSpeechProb).toBeLessThanOrEqual(1);
    expect(result).toMatchObject({ language: 'en', languageProbability: 1 });
    for (const token of result.tokens) {
      if (token.kind !== 'timestamp') continue;
      expect(token.offsetSamples).toBeGreaterThanOrEqual(0);
      expect(token.offsetSamples).toBeLessThanOrEqual(recognizer.maxWindowSamples);
    }
  },
);

test.each(recognizers)('%s answers concurrent requests each with its own', async (_, open) => {
  const recognizer = open();
  const both = await Promise.all([1, 2].map(() => recognizer.recognize(request(), signal)));
  expect(both[0]!.tokens).toEqual(both[1]!.tokens);
});

test.each(recognizers)('%s tells where its words are, if it is asked to', async (_, open) => {
  const recognizer = open();
  const [asked, unasked] = await Promise.all(
    [true, false].map((attention) => recognizer.recognize(request({ attention }), signal)),
  );
  expect(unasked!.attention).toBeUndefined();
  const textOf = (ids: readonly number[]): string => recognizer.textOf(ids);
  const words = attentionWords(asked!, asked!.attention!, textOf).flat();
  const ids = asked!.tokens.flatMap((token) => (token.kind === 'text' ? [token.id] : []));
  expect(words.map(({ text }) => text).join('')).toBe(textOf(ids));
  const starts = words.map(({ start }) => start);
  expect(starts).toEqual(starts.toSorted((a, b) => a - b));
  expect(starts.at(-1)).toBeLessThan(5 * SAMPLE_RATE_HZ);
});

test('Whisper tells how much of a prompt it has no room for, and none of it for what was said', async () => {
  const prompt = 'Kennedy '.repeat(150);
  const [fits, cut] = await Promise.all(
    [prompt, prompt.repeat(2)].map((text) =>
      real.recognizer.recognize(request({ prompt: text, previousText: prompt }), signal),
    ),
  );
  expect(fits!.droppedPromptTokens).toBeUndefined();
  expect(cut!.droppedPromptTokens).toBe(300 - 223);
});

test.each(recognizers)('%s rejects what was aborted before it began', async (_, open) => {
  await expect(open().recognize(request(), AbortSignal.abort())).rejects.toThrow(/abort/);
});

test.each(recognizers)('%s knows its languages, its window and its batch', (_, open) => {
  const { languages, maxWindowSamples, batchSize, modelName } = open();
  expect(languages).toContain('en');
  expect(maxWindowSamples).toBe(30 * SAMPLE_RATE_HZ);
  expect(batchSize).toBeGreaterThanOrEqual(1);
  expect(modelName).not.toBe('');
});

test.each(voiceActivities)(
  '%s gives one probability per window, the same in pieces',
  async (_, open) => {
    const model = open();
    const waveform = sampleWaveform().slice(0, 40 * model.windowSamples + 100);
    const whole = await model.openStream().push(waveform, signal);
    expect(whole.length).toBe(41);
    expect(whole.every((probability) => probability >= 0 && probability <= 1)).toBe(true);
    const stream = model.openStream();
    const half = 20 * model.windowSamples;
    const pieces = [
      ...(await stream.push(waveform.subarray(0, half), signal)),
      ...(await stream.push(waveform.subarray(half), signal)),
    ];
    for (const [window, probability] of pieces.entries()) {
      expect(probability).toBeCloseTo(whole[window]!, 3);
    }
  },
);

test.each(voiceActivities)(
  '%s hears the speech of the sample and rejects an abort',
  async (_, open) => {
    const stream = open().openStream();
    const probabilities = await stream.push(sampleWaveform().slice(0, 5 * SAMPLE_RATE_HZ), signal);
    expect(Math.max(...probabilities)).toBeGreaterThan(0.9);
    await expect(stream.push(new Float32Array(512), AbortSignal.abort())).rejects.toThrow(/abort/);
  },
);
