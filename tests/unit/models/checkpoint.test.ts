import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readWhisperCheckpoint } from '../../../models/whisper/checkpoint.ts';
import { fittedText, rowPrompt } from '../../../models/whisper/row-prompt.ts';
import { specialTokensOf } from '../../../models/whisper/special-tokens.ts';
import { tensorShapes } from '../../../models/whisper/tensor-shapes.ts';
import { WHISPER_SHAPES } from '../../../scripts/whisper-shapes.ts';
import { writeHollowSafetensors } from '../../fakes/safetensors-files.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'stt-checkpoint-'));
  await writeTensors(SHAPES);
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
const SHAPES = tensorShapes(WHISPER_SHAPES['large-v3']!);
const EMBEDDINGS = 'model.decoder.embed_tokens.weight';

type Shapes = Iterable<readonly [string, readonly number[]]>;
const writeTensors = (shapes: Shapes): Promise<void> =>
  writeHollowSafetensors(join(folder, 'model.safetensors'), shapes);
const renamed = (rename: (name: string) => string): Shapes =>
  [...SHAPES].map(([name, shape]) => [rename(name), shape] as const);
const refusal = async (): Promise<{ code: string; message: string }> =>
  readWhisperCheckpoint(folder).then(
    () => ({ code: 'none', message: '' }),
    ({ code, message }: { code: string; message: string }) => ({ code, message }),
  );
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
  expect(checkpoint.controlTokens).toContain(50_363);
  expect(checkpoint.suppressTokens).toEqual(expect.arrayContaining([1, 2, 359, 50_254]));
});

test('token lists of an older config.json count, an empty one too', async () => {
  await writeConfig({ ...LARGE_V3, suppress_tokens: [], begin_suppress_tokens: [220] });
  const checkpoint = await readWhisperCheckpoint(folder);
  expect(checkpoint.suppressTokens).toEqual([]);
  expect(checkpoint.controlTokens).toContain(50_363);
  expect(checkpoint.beginSuppressTokens).toEqual([220]);
});

test('−1 in a list of tokens stands for those of no speech, beside the others', async () => {
  await writeConfig({ ...LARGE_V3, suppress_tokens: [-1, 4000] });
  const { suppressTokens } = await readWhisperCheckpoint(folder);
  expect(suppressTokens).toEqual(expect.arrayContaining([1, 2, 359, 50_254, 4000]));
  expect(suppressTokens).not.toContain(-1);
});

test('rows beyond the published vocabulary are never picked', async () => {
  await writeConfig({ ...LARGE_V3, vocab_size: 51_968 });
  await writeTensors([...SHAPES, [EMBEDDINGS, [51_968, 1280]]]);
  const newest = await readWhisperCheckpoint(folder);
  expect(newest).toMatchObject({ vocabularySize: 51_866, tokens: specialTokensOf(51_866) });
  await writeFile(
    join(folder, 'generation_config.json'),
    JSON.stringify({ no_timestamps_token_id: 50_363 }),
  );
  const older = await readWhisperCheckpoint(folder);
  expect(older).toMatchObject({ vocabularySize: 51_865, tokens: specialTokensOf(51_865) });
});

test.each([
  ['no prefix', ''],
  ['what PEFT leaves behind', 'base_model.model.model.'],
  ['what data-parallel training leaves behind', 'module.model.'],
])('tensors whose names begin with %s are found', async (_, prefix) => {
  await writeConfig(LARGE_V3);
  await writeTensors(renamed((name) => name.replace(/^model\./, prefix)));
  const { tensors } = await readWhisperCheckpoint(folder);
  expect([...tensors.keys()]).toEqual([...SHAPES.keys()]);
});

test('a tied matrix may be stored as the output projection, or twice', async () => {
  await writeConfig(LARGE_V3);
  await writeTensors(renamed((name) => (name === EMBEDDINGS ? 'proj_out.weight' : name)));
  const once = await readWhisperCheckpoint(folder);
  expect(once.isOutputTied).toBe(true);
  expect(once.tensors.has(EMBEDDINGS)).toBe(true);
  await writeTensors([...SHAPES, ['proj_out.weight', [51_866, 1280]]]);
  const twice = await readWhisperCheckpoint(folder);
  expect([...twice.tensors.keys()].sort()).toEqual([...SHAPES.keys()].sort());
});

test('an output projection of its own must be there', async () => {
  await writeConfig({ ...LARGE_V3, tie_word_embeddings: false });
  expect(await refusal()).toMatchObject({
    code: 'MODEL_INVALID',
    message: expect.stringContaining('there is no proj_out.weight'),
  });
});

test('an adapter that is not merged is refused with what to do', async () => {
  await writeConfig(LARGE_V3);
  await writeTensors([
    ...SHAPES,
    ['base_model.model.model.encoder.layers.0.self_attn.q_proj.lora_A.weight', [8, 1280]],
  ]);
  const { code, message } = await refusal();
  expect(code).toBe('MODEL_INVALID');
  expect(message).toContain('merge_and_unload');
});

test("openai-whisper's own names are refused with what to do", async () => {
  await writeConfig(LARGE_V3);
  await writeTensors([['encoder.blocks.0.attn.query.weight', [8, 8]]]);
  expect((await refusal()).message).toContain('convert_openai_to_hf');
});

test('weights that do not fit the configuration are refused before they are loaded', async () => {
  await writeConfig({ ...LARGE_V3, decoder_layers: 33 });
  expect(await refusal()).toMatchObject({
    code: 'MODEL_INVALID',
    message: expect.stringMatching(
      /24 tensors are missing, the first is model\.decoder\.layers\.32/,
    ),
  });
  await writeConfig({ ...LARGE_V3, num_mel_bins: 80 });
  expect((await refusal()).message).toContain('conv1.weight is 1280 × 128 × 3');
  await writeConfig({ ...LARGE_V3, decoder_attention_heads: 6 });
  expect((await refusal()).message).toContain('d_model');
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

test('text before a window is cut at its start to what the decoder can hold', async () => {
  await writeConfig(LARGE_V3);
  const checkpoint = await readWhisperCheckpoint(folder);
  const previous = Array.from({ length: 500 }, (_, id) => id);
  const { prompt, task, startIndex } = rowPrompt(
    checkpoint,
    { language: 'ko', task: 'translate', timestamps: true },
    fittedText(checkpoint, [], previous).ids,
  );
  expect(prompt).toHaveLength(225);
  expect(prompt[0]).toBe(50_362);
  expect(prompt.at(-2)).toBe(499);
  expect(prompt[startIndex]).toBe(50_258);
  expect(task).toEqual([50_264, 50_359]);
});

test('what is given keeps its place before what was said, and what does not fit is counted', () => {
  const ids = (from: number, count: number) => Array.from({ length: count }, (_, i) => from + i);
  const fitted = (given: readonly number[], said: readonly number[]) =>
    fittedText({ maxTokens: 448 }, given, said);
  expect(fitted(ids(0, 20), ids(1000, 10))).toEqual({
    ids: [...ids(0, 20), ...ids(1000, 10)],
    droppedCount: 0,
  });
  expect(fitted(ids(0, 20), ids(1000, 300))).toEqual({
    ids: [...ids(0, 20), ...ids(1097, 203)],
    droppedCount: 0,
  });
  expect(fitted(ids(0, 223), ids(1000, 300))).toEqual({ ids: ids(0, 223), droppedCount: 0 });
  expect(fitted(ids(0, 300), ids(1000, 300))).toEqual({ ids: ids(77, 223), droppedCount: 77 });
});
