import { expect, test } from 'vitest';
import { formatSegments } from '../../../handler/formats/format-segments.ts';
import { growthOf } from '../../fakes/growth.ts';

const UNITS = [
  '“',
  '"',
  '(',
  '“ ',
  '.',
  '. ',
  '.”',
  ', ',
  'a',
  '가 ',
  '中',
  'あ、',
  'ก',
  '-->',
  '\t',
  '&',
];
const FORMATS = ['text', 'srt', 'vtt', 'tsv', 'rttm', 'ctm'] as const;

test.each(UNITS)('a segment of nothing but %j is written in linear time', (unit) => {
  for (const format of FORMATS) {
    const growth = growthOf((size) => {
      const text = `${unit.repeat(size / unit.length)}가`;
      const segment = { start: 0, end: 30, text, speaker: 'SPEAKER_00' };
      return () => formatSegments([segment], format);
    }, 2500);
    expect([unit, format, growth]).toEqual([unit, format, 'linear']);
  }
});
