import fc from 'fast-check';
import { expect, test } from 'vitest';
import { timestamp } from '../../../handler/formats/cue.ts';
import { formatSegments, type TextFormat } from '../../../handler/formats/format-segments.ts';

const SEGMENTS = [
  { start: 0, end: 1.5, text: 'And so, my fellow Americans,' },
  { start: 3599.9995, end: 3601.25, text: 'ask not', speaker: 'SPEAKER_00' },
];

test('text is a line for each segment', () => {
  expect(formatSegments(SEGMENTS, 'text')).toBe(
    'And so, my fellow Americans,\n[SPEAKER_00]: ask not\n',
  );
});

test('srt has numbered cues with commas in times', () => {
  expect(formatSegments(SEGMENTS, 'srt')).toBe(
    '1\n00:00:00,000 --> 00:00:01,500\nAnd so, my fellow Americans,\n\n' +
      '2\n01:00:00,000 --> 01:00:01,250\n[SPEAKER_00]: ask not\n',
  );
});

test('vtt has a header, dots in times and speakers as voices', () => {
  expect(formatSegments(SEGMENTS, 'vtt')).toBe(
    'WEBVTT\n\n00:00:00.000 --> 00:00:01.500\nAnd so, my fellow Americans,\n\n' +
      '01:00:00.000 --> 01:00:01.250\n<v SPEAKER_00>ask not\n',
  );
});

test('tsv has whole milliseconds under a header', () => {
  expect(formatSegments(SEGMENTS, 'tsv')).toBe(
    'start\tend\ttext\n0\t1500\tAnd so, my fellow Americans,\n3600000\t3601250\t[SPEAKER_00]: ask not\n',
  );
});

test.each([
  ['text', ''],
  ['srt', ''],
  ['vtt', 'WEBVTT\n'],
  ['tsv', 'start\tend\ttext\n'],
] as const)('%s without segments is a valid document', (format, expected) => {
  expect(formatSegments([], format)).toBe(expected);
});

test('hours grow beyond two digits', () => {
  expect(timestamp(359_999_999, ',')).toBe('99:59:59,999');
  expect(timestamp(360_000_000, '.')).toBe('100:00:00.000');
});

test('vtt escapes what would be markup', () => {
  const text = 'if a < b && b > c --> <i>d</i> &amp;';
  expect(formatSegments([{ start: 0, end: 1, text }], 'vtt')).toContain(
    '\nif a &lt; b &amp;&amp; b &gt; c --&gt; &lt;i&gt;d&lt;/i&gt; &amp;amp;\n',
  );
});

test('an arrow in the text cannot be taken for a time in srt', () => {
  expect(formatSegments([{ start: 0, end: 1, text: 'a --> b' }], 'srt')).toContain('\na -> b\n');
});

test('line breaks, tabs and control characters become a space', () => {
  const text = ' a\n\nb\tc\r\nd\u2028e\u0000f ';
  expect(formatSegments([{ start: 0, end: 1, text }], 'text')).toBe('a b c d e f\n');
});

test('a segment without text makes no cue, with a speaker neither', () => {
  const segments = [
    { start: 0, end: 1, text: ' \n' },
    { start: 1, end: 2, text: '', speaker: 'SPEAKER_00' },
    { start: 2, end: 3, text: 'hi' },
  ];
  expect(formatSegments(segments, 'srt')).toBe('1\n00:00:02,000 --> 00:00:03,000\nhi\n');
});

test('a segment without duration stays visible for a millisecond', () => {
  expect(formatSegments([{ start: 2, end: 2, text: 'hi' }], 'tsv')).toContain('2000\t2001\thi');
});

interface ParsedCue {
  readonly startMs: number;
  readonly endMs: number;
  readonly text: string;
}

const toMs = (text: string): number => {
  const [hours, minutes, seconds, ms] = text.split(/[:.,]/).map(Number);
  return ((hours! * 60 + minutes!) * 60 + seconds!) * 1000 + ms!;
};

const decodeEntities = (text: string): string =>
  text.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&');

/** Readers as strict as the formats allow: any line out of place is an error. */
const READERS: Record<
  Exclude<TextFormat, 'text' | 'rttm' | 'ctm'>,
  (document: string) => ParsedCue[]
> = {
  srt: (document) =>
    blocksOf(document).map((block, index) => {
      expect(block.length).toBeGreaterThanOrEqual(3);
      expect(block[0]).toBe(String(index + 1));
      return readCue(block[1]!, block.slice(2).join('\n'));
    }),
  vtt: (document) => {
    const [header, ...blocks] = blocksOf(document);
    expect(header).toEqual(['WEBVTT']);
    return blocks.map((block) => {
      const text = block.slice(1).join('\n');
      expect(text).toMatch(/\S/);
      expect(text).not.toMatch(/[<>]|-->|&(?!amp;|lt;|gt;)/);
      return readCue(block[0]!, decodeEntities(text));
    });
  },
  tsv: (document) => {
    const [header, ...rows] = document.split('\n').slice(0, -1);
    expect(header).toBe('start\tend\ttext');
    return rows.map((row) => {
      const columns = row.split('\t');
      expect(columns).toHaveLength(3);
      return { startMs: Number(columns[0]), endMs: Number(columns[1]), text: columns[2]! };
    });
  },
};

const blocksOf = (document: string): string[][] =>
  document === ''
    ? []
    : document
        .replace(/\n$/, '')
        .split('\n\n')
        .map((block) => block.split('\n'));

function readCue(times: string, text: string): ParsedCue {
  const match = /^(\d{2,}:\d\d:\d\d[.,]\d{3}) --> (\d{2,}:\d\d:\d\d[.,]\d{3})$/.exec(times);
  return { startMs: toMs(match![1]!), endMs: toMs(match![2]!), text };
}

const anySegments = fc.array(
  fc.record({
    start: fc.integer({ min: 0, max: 500_000_000 }).map((ms) => ms / 1000),
    lengthMs: fc.integer({ min: 0, max: 30_000 }),
    text: fc.oneof(
      fc.string({ unit: 'grapheme', maxLength: 40 }),
      fc.constantFrom('a --> b', '<v x>&', '1', '\n\n2\n', 'NOTE x', 'WEBVTT', '안녕하세요\t반갑'),
    ),
  }),
);

/** What a document must say of the drawn segments, in order, without regard to line breaks. */
const spokenIn = (texts: readonly string[]): string => texts.join('').replace(/[\s\p{Cc}]+/gu, '');

test.each(['srt', 'vtt', 'tsv'] as const)('%s read back holds all that was said', (format) => {
  fc.assert(
    fc.property(anySegments, (drawn) => {
      const segments = drawn.map(({ start, lengthMs, text }) => ({
        start,
        end: (Math.round(start * 1000) + lengthMs) / 1000,
        text: format === 'srt' ? text.replaceAll('-->', '->') : text,
      }));
      const cues = READERS[format](formatSegments(segments, format));
      expect(spokenIn(cues.map(({ text }) => text))).toBe(spokenIn(segments.map((s) => s.text)));
      for (const { startMs, endMs } of cues) expect(endMs).toBeGreaterThan(startMs);
    }),
  );
});
