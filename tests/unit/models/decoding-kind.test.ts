import { expect, test } from 'vitest';
import { readWhisperCheckpoint } from '../../../models/whisper/checkpoint.ts';
import { decodeFeeds } from '../../../models/whisper/decode-feeds.ts';
import { decodingKind, GREEDY } from '../../../models/whisper/decoding-kind.ts';
import { rowPrompt } from '../../../models/whisper/row-prompt.ts';
import type { DecodingRules } from '../../../pipeline/contracts.ts';
import { embeddedPath } from '../../golden/shared-data.ts';

const request = (rules: DecodingRules, temperature = 0) => ({
  waveform: new Float32Array(16_000),
  task: 'transcribe' as const,
  language: 'en',
  timestamps: true,
  temperature,
  prompt: null,
  rules,
});

test('beams belong to temperature 0, samples to those above it; without either it is greedy', () => {
  expect(decodingKind(request({}), [])).toEqual(GREEDY);
  const rules = { beamSize: 4, patience: 2, bestOf: 3, lengthPenalty: 0.5 };
  expect(decodingKind(request(rules), [])).toMatchObject({
    search: 'beam',
    rowsPerWindow: 4,
    patience: 2,
    lengthPenalty: 0.5,
  });
  expect(decodingKind(request(rules, 0.4), [])).toMatchObject({
    search: 'greedy',
    rowsPerWindow: 3,
    patience: 1,
    lengthPenalty: 0.5,
  });
});

test('a list of tokens takes the place of the model’s own, which −1 stands for; control tokens are never said', async () => {
  const checkpoint = await readWhisperCheckpoint(embeddedPath('whisper-tiny.en'));
  const forbidden = (rules: DecodingRules, numerals: readonly number[] = []): number[] => {
    const asked = request(rules);
    const kind = decodingKind(asked, numerals);
    const feeds = decodeFeeds(checkpoint, [asked], [rowPrompt(checkpoint, asked, [])], { kind });
    const bias = feeds['text_bias']!.data as Float32Array;
    return [...bias.entries()].flatMap(([id, score]) => (score < 0 ? id : []));
  };
  const { controlTokens, suppressTokens } = checkpoint;
  const sorted = (ids: readonly number[]) => [...new Set(ids)].sort((a, b) => a - b);
  const own = sorted([...controlTokens, ...suppressTokens]);
  expect(own.length).toBeGreaterThan(80);
  expect(forbidden({})).toEqual(own);
  expect(forbidden({ suppressTokens: [] })).toEqual(sorted(controlTokens));
  expect(forbidden({ suppressTokens: [400] })).toEqual(sorted([...controlTokens, 400]));
  expect(forbidden({ suppressTokens: [-1, 400] }, [16])).toEqual(sorted([...own, 400, 16]));
});
