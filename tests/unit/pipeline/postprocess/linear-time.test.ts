import { expect, test } from 'vitest';
import type { Segment } from '../../../../pipeline/contracts.ts';
import {
  DEFAULT_POSTPROCESS_OPTIONS,
  postprocess,
} from '../../../../pipeline/postprocess/postprocess.ts';
import { growthOf } from '../../../fakes/growth.ts';

const EVERYTHING = {
  ...DEFAULT_POSTPROCESS_OPTIONS,
  removeFillers: true,
  collapseRepeats: true,
  punctuate: true,
  keywords: ['회의록', 'Kubernetes'],
};
const UNITS = ['"', '.', '…', '!a', '(', '“ ', '1', '1,', '010-', '일', '이십 ', '백', '점', 'um '];

const segmentOf = (text: string): Segment => ({
  ...{ text, range: { start: 0, end: 480_000 }, words: [], confidence: 0.9, avgLogProb: -0.1 },
  ...{ noSpeechProb: 0, compressionRatio: 1, temperature: 0 },
});

test.each(UNITS.flatMap((unit) => ['ko', 'en'].map((language) => [unit, language] as const)))(
  'text that a model repeats is repaired in linear time: %j in %s',
  (unit, language) => {
    for (const numbers of ['digits', 'words'] as const) {
      const growth = growthOf((size) => {
        const text = `${unit.repeat(size / unit.length)}가`;
        return () => postprocess([segmentOf(text)], language, { ...EVERYTHING, numbers });
      }, 3000);
      expect([unit, language, numbers, growth]).toEqual([unit, language, numbers, 'linear']);
    }
  },
);
