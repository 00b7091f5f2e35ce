import { expect, test } from 'vitest';
import { WhisperTokenizer } from '../../models/whisper/tokenizer.ts';
import { describeWithShared, readGolden, sharedPath } from './shared-data.ts';

interface TokenizerGolden {
  readonly text: string;
  readonly ids: number[];
  readonly decoded: string;
}

describeWithShared("the tokenizer equals Hugging Face's", () => {
  test('for Korean, Japanese, Chinese, emoji and English, both ways', async () => {
    const tokenizer = await WhisperTokenizer.load(
      sharedPath('models/whisper-multilingual-tokenizer'),
    );
    const cases = readGolden<TokenizerGolden[]>('tokenizer-multilingual.json');
    expect(cases.length).toBeGreaterThan(5);
    for (const { text, ids, decoded } of cases) {
      expect(tokenizer.encode(text)).toEqual(ids);
      expect(tokenizer.decode(ids)).toBe(decoded);
    }
  });
});
