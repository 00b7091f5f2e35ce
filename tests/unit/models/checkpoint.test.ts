import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readWhisperCheckpoint } from '../../../models/whisper/checkpoint.ts';
import { rowPrompt } from '../../../models/whisper/row-prompt.ts';
import { specialTokensOf } from '../../../models/whisper/special-tokens.ts';
import { writeSafetensors } from '../../fakes/safetensors-files.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'stt-checkpoint-'));
  await writeSafetensors(join(folder, 'model.safetensors'), {});
});
afterEach(() => rm(folder, { recursive: true }));

const LARGE_V3 = {
  model_type: 'whisper',
  d_model: 1280,
  encoder_layers: 32,
  decoder_layers: 32,
  encoder_attention_heads: 20,
  decoder_attention_heads: 20,
  vocab_size: 51_866,
  num_mel_bins: 128,
};
const writeConfig = (config: object): Promise<void> =>
  writeFile(join(folder, 'config.json'), JSON.stringify(config));

test('the control tokens of the three vocabularies are those that OpenAI published', () => {
  expect(specialTokensOf(51_864)).toMatchObject({
    endOfText: 50_256,
    startOfTranscript: 50_257,
    noSpeech: 50_361,
    noTimestamps: 50_362,
    timestampsStart: 50_363,
    languages: ['en'],
  });
  expect(specialTokensOf(51_865)).toMatchObject({
    transcribe: 50_359,
    startOfPrevious: 50_361,
    timestampsStart: 50_364,
  });
  const large = specialTokensOf(51_866);
  expect(large).toMatchObject({ transcribe: 50_360, noTimestamps: 50_364, noSpeech: 50_363 });
  expect(large.languagesStart + large.languages.indexOf('ko')).toBe(50_264);
  expect(large.languages).toHaveLength(100);
});

test('a fine-tune without generation_config.json gets the documented values', async () => {
  await writeConfig(LARGE_V3);
  const checkpoint = await readWhisperCheckpoint(folder);
  expect(checkpoint).toMatchObject({
    beginSuppressTokens: [220, 50_257],
    maxInitialTimestamp: 50,
    maxTokens: 448,
  });
  expect(checkpoint.suppressTokens).toContain(50_363);
});

test('an old copy that allows no first timestamp beyond 20 ms is corrected', async () => {
  await writeConfig(LARGE_V3);
  await writeFile(
    join(folder, 'generation_config.json'),
    JSON.stringify({ max_initial_timestamp_index: 1, suppress_tokens: [7] }),
  );
  const { maxInitialTimestamp, suppressTokens } = await readWhisperCheckpoint(folder);
  expect(maxInitialTimestamp).toBe(50);
  expect(suppressTokens).toContain(7);
});

test('a folder of another model says which field is in the way', async () => {
  await writeConfig({ ...LARGE_V3, model_type: 'wav2vec2' });
  await expect(readWhisperCheckpoint(folder)).rejects.toMatchObject({
    code: 'MODEL_INVALID',
    message: expect.stringContaining('model_type'),
  });
  await writeFile(join(folder, 'config.json'), '{');
  await expect(readWhisperCheckpoint(folder)).rejects.toMatchObject({ code: 'MODEL_INVALID' });
  await rm(join(folder, 'config.json'));
  await expect(readWhisperCheckpoint(folder)).rejects.toMatchObject({ code: 'MODEL_NOT_FOUND' });
});

test('a prompt is cut at its start to what the decoder can hold', async () => {
  await writeConfig(LARGE_V3);
  const checkpoint = await readWhisperCheckpoint(folder);
  const previous = Array.from({ length: 500 }, (_, id) => id);
  const { prompt, task, startIndex } = rowPrompt(
    checkpoint,
    { language: 'ko', task: 'translate', timestamps: true },
    previous,
  );
  expect(prompt).toHaveLength(225);
  expect(prompt[0]).toBe(50_362);
  expect(prompt.at(-2)).toBe(499);
  expect(prompt[startIndex]).toBe(50_258);
  expect(task).toEqual([50_264, 50_359]);
});
