import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { WhisperTokenizer } from '../../../models/whisper/tokenizer.ts';
import { describeWithShared, embeddedPath, sharedPath } from '../../golden/shared-data.ts';

const TEXTS = [
  ' Good morning everyone, let’s start the weekly meeting.',
  '  two   spaces\n\ttabs and a line',
  " don't, we'll, 1,234.56 % of $5 and ₩10,000",
  ' 안녕하세요, 회의를 시작하겠습니다. 오늘은 RunPod 엔드포인트 이야기예요.',
  '会議を始めます。音声認識の話です。',
  '🙂👍🏽 naïve café — “quoted” …',
  ' <|startoftranscript|><|ko|><|translate|> and <|endoftext|>',
];

let folder: string;
let embedded: WhisperTokenizer;
beforeAll(async () => {
  embedded = await WhisperTokenizer.load(embeddedPath('whisper-tiny.en'));
  folder = await mkdtemp(join(tmpdir(), 'stt-tokenizer-'));
});
afterAll(() => rm(folder, { recursive: true }));

/** The two files that transformers' slow tokenizer saves of the same vocabulary. */
async function slowTokenizerOf(source: string): Promise<WhisperTokenizer> {
  const { model } = JSON.parse(await readFile(join(source, 'tokenizer.json'), 'utf8')) as {
    model: { vocab: Record<string, number>; merges: string[] };
  };
  await writeFile(join(folder, 'vocab.json'), JSON.stringify(model.vocab));
  await writeFile(join(folder, 'merges.txt'), `#version: 0.2\n${model.merges.join('\n')}\n`);
  return WhisperTokenizer.load(folder);
}

async function compareWithSlow(source: string): Promise<void> {
  const [whole, slow] = [await WhisperTokenizer.load(source), await slowTokenizerOf(source)];
  for (const text of TEXTS) {
    const ids = whole.encode(text);
    expect(slow.encode(text)).toEqual(ids);
    expect([whole.decode(ids), slow.decode(ids)]).toEqual([text, text]);
  }
  const everything = Array.from({ length: 52_000 }, (_, id) => id);
  expect(slow.decode(everything)).toBe(whole.decode(everything));
}

test('vocab.json and merges.txt make the tokenizer that tokenizer.json makes', () =>
  compareWithSlow(embeddedPath('whisper-tiny.en')));

describeWithShared('the multilingual tokenizer', () => {
  test('is the same from vocab.json and merges.txt, too', () =>
    compareWithSlow(sharedPath('models/whisper-multilingual-tokenizer')));
});

test('what looks like a control token in a text is encoded as the characters that it is', () => {
  const ids = embedded.encode(' <|startoftranscript|><|en|><|endoftext|>');
  expect(Math.max(...ids)).toBeLessThan(50_256);
  expect(embedded.decode(ids)).toBe(' <|startoftranscript|><|en|><|endoftext|>');
});

test('control tokens and ids beyond the vocabulary have no text', () => {
  const [good] = embedded.encode(' Good');
  expect(embedded.decode([50_257, good!, 50_256, 51_000, 60_000])).toBe(' Good');
  expect(embedded.decode([50_257])).toBe('');
});

test('tokens are found by their own text, those of several bytes too', () => {
  const pattern = /[\p{Nd}%$£€¥₩]/u;
  const found = embedded.idsMatching(pattern);
  const decoded = Array.from({ length: 50_256 }, (_, id) => id).filter((id) =>
    pattern.test(embedded.decode([id])),
  );
  expect(found.toSorted((a, b) => a - b)).toEqual(decoded);
  expect(found.length).toBeGreaterThan(1000);
});

test('a folder without a tokenizer names the files, and damaged ones are told', async () => {
  await rm(join(folder, 'merges.txt'), { force: true });
  await expect(WhisperTokenizer.load(folder)).rejects.toMatchObject({
    code: 'MODEL_NOT_FOUND',
    message: 'The model folder has no tokenizer.json, nor vocab.json and merges.txt',
  });
  await writeFile(join(folder, 'tokenizer.json'), '{"model":{}}');
  await expect(WhisperTokenizer.load(folder)).rejects.toMatchObject({ code: 'MODEL_INVALID' });
});
