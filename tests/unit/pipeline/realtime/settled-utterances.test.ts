import { expect, test } from 'vitest';
import type { LiveWord } from '../../../../pipeline/realtime/agreement.ts';
import { settleUtterances } from '../../../../pipeline/realtime/settled-utterances.ts';

const word = (text: string, start: number, end: number): LiveWord => ({
  text,
  range: { start, end },
  confidence: 1,
});

test('a word whose edge reaches over the pause belongs where most of it is', () => {
  const utterances = [
    { id: 1, start: 0, end: 100 },
    { id: 2, start: 110, end: 200 },
    { id: 3, start: 200, end: null },
  ];
  const words = [word(' one', 10, 90), word(' two', 98, 150), word(' three', 195, 215)];
  const { finals, left } = settleUtterances(utterances, words, { end: 220, language: 'en' });
  expect(finals.map(({ utteranceId, words: own }) => [utteranceId, own.length])).toEqual([
    [1, 1],
    [2, 1],
    [3, 1],
  ]);
  expect(left.map(({ id }) => id)).toEqual([3]);
});
