import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { TimedText } from '../../../handler/formats/cue.ts';
import { widthOf } from '../../../handler/formats/display-width.ts';
import { formatSegments } from '../../../handler/formats/format-segments.ts';
import {
  DEFAULT_SUBTITLE_LAYOUT,
  layOutSubtitles,
  type SubtitleLayout,
  withTextLines,
} from '../../../handler/formats/subtitle-layout.ts';

/** A segment whose words last half a second each and follow one another. */
function spoken(words: readonly string[], separator = ' ', start = 0): TimedText {
  return {
    start,
    end: start + words.length / 2,
    text: words.join(separator),
    words: words.map((word, index) => ({
      word,
      start: start + index / 2,
      end: start + (index + 1) / 2,
      confidence: 0.5,
    })),
  };
}

const laidOut = (segments: readonly TimedText[], layout: SubtitleLayout) =>
  [...layOutSubtitles(segments, layout)].filter((cue) => cue !== null);
const cuesOf = (segments: readonly TimedText[], layout: Partial<SubtitleLayout> = {}) =>
  laidOut(segments, { ...DEFAULT_SUBTITLE_LAYOUT, ...layout }).map(withTextLines);
const linesOf = (segment: TimedText, layout: Partial<SubtitleLayout> = {}) =>
  cuesOf([segment], layout).map(({ lines }) => lines);

test('a cue with two lines is broken where both are about as long', () => {
  const segment = spoken(['one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine']);
  expect(linesOf(segment)).toEqual([['one two three four five', 'six seven eight nine']]);
});

test('a long segment becomes cues that start and end with their own words', () => {
  const words = Array.from({ length: 30 }, (_, index) => `word${index}`);
  const cues = cuesOf([spoken(words)]);
  expect(cues.map(({ startMs, endMs }) => [startMs, endMs])).toEqual([
    [0, 5500],
    [5500, 10_000],
    [10_000, 15_000],
  ]);
});

test('a full cue is cut behind a clause rather than within one', () => {
  const words = 'we were late, so we took the train instead of the bus to town and home'.split(' ');
  expect(linesOf(spoken(words), { maxLineWidth: 20, maxLines: 1 })[0]).toEqual(['we were late,']);
});

test('Korean, Japanese and Chinese characters take two columns', () => {
  expect(widthOf('회의록 ok')).toBe(9);
  const korean = spoken(['안녕하세요', '반갑습니다', '시작하겠습니다']);
  expect(linesOf(korean, { maxLineWidth: 21 })).toEqual([
    ['안녕하세요 반갑습니다', '시작하겠습니다'],
  ]);
  expect(linesOf(korean, { maxLineWidth: 20, maxLines: 1 })).toEqual([
    ['안녕하세요'],
    ['반갑습니다'],
    ['시작하겠습니다'],
  ]);
});

test('Japanese without spaces is broken between words', () => {
  const segment = { start: 0, end: 4, text: '今日は会議を始めます。よろしくお願いします。' };
  for (const line of linesOf(segment, { maxLineWidth: 24 }).flat()) {
    expect(widthOf(line)).toBeLessThanOrEqual(24);
  }
});

test('a short cue stays until it can be read, but not into the next one', () => {
  const cues = cuesOf([
    { start: 0, end: 0.2, text: 'Yes, of course, why would I not' },
    { start: 1, end: 1.1, text: 'Good' },
  ]);
  expect(cues.map(({ endMs }) => endMs)).toEqual([1000, 1800]);
});

test('text that is not made of its words is timed by its width', () => {
  const segment = { ...spoken(['three', 'hundred', 'won']), text: '300 won' };
  expect(formatSegments([segment], 'ctm')).toBe(
    'audio 1 0.000 0.643 300 0.000\naudio 1 0.643 0.857 won 0.000\n',
  );
});

test('ctm has a line for each word with its own time and confidence', () => {
  expect(formatSegments([spoken(['a', 'b'])], 'ctm', { recording: 'weekly call' })).toBe(
    'weekly_call 1 0.000 0.500 a 0.500\nweekly_call 1 0.500 0.500 b 0.500\n',
  );
});

test('rttm joins what one speaker says without a pause and leaves out the unknown', () => {
  const segments = [
    { start: 0, end: 1, text: 'a', speaker: 'SPEAKER_00' },
    { start: 1, end: 2, text: 'b', speaker: 'SPEAKER_00' },
    { start: 2, end: 3, text: 'c' },
    { start: 3, end: 4.5, text: 'd', speaker: 'SPEAKER_01' },
  ];
  expect(formatSegments(segments, 'rttm')).toBe(
    'SPEAKER audio 1 0.000 2.000 <NA> <NA> SPEAKER_00 <NA> <NA>\n' +
      'SPEAKER audio 1 3.000 1.500 <NA> <NA> SPEAKER_01 <NA> <NA>\n',
  );
});

test('vtt with word cues has a rising time before every word but the first', () => {
  const segment = { ...spoken(['so', '<b>', 'it']), speaker: 'SPEAKER_00' };
  expect(formatSegments([segment], 'vtt', { wordCues: true })).toBe(
    'WEBVTT\n\n00:00:00.000 --> 00:00:01.500\n' +
      '<v SPEAKER_00>so <00:00:00.500>&lt;b&gt; <00:00:01.000>it\n',
  );
});

test('words apart do not share a cue: what is said after a pause is not shown before', () => {
  const words = [
    { word: 'So', start: 0, end: 0.5, confidence: 0.5 },
    { word: 'yes', start: 0.6, end: 1, confidence: 0.5 },
    { word: 'agreed.', start: 6, end: 6.5, confidence: 0.5 },
  ];
  const cues = cuesOf([{ start: 0, end: 6.5, text: 'So yes agreed.', words }]);
  expect(cues).toEqual([
    { startMs: 0, endMs: 1000, lines: ['So yes'] },
    { startMs: 6000, endMs: 6800, lines: ['agreed.'] },
  ]);
});

test('the last word is not left alone in a cue', () => {
  const words = Array.from({ length: 15 }, (_, index) => `word${index + 10}`);
  const counts = cuesOf([spoken(words)]).map(({ lines }) => lines.join(' ').split(' ').length);
  expect(counts).toEqual([7, 8]);
});

test('short remarks of one person share a cue where each alone could not be read', () => {
  const said = (start: number, text: string, speaker: string): TimedText => ({
    start,
    end: start + 0.3,
    text,
    speaker,
  });
  const same = [said(0, '네.', 'A'), said(0.3, '맞습니다.', 'A'), said(0.6, '네.', 'A')];
  expect(cuesOf(same).map(({ lines }) => lines)).toEqual([['네. 맞습니다. 네.']]);
  const others = [said(0, '네.', 'A'), said(0.3, '맞습니다.', 'B'), said(0.6, '네.', 'A')];
  expect(cuesOf(others).map(({ lines }) => lines)).toEqual([['네.'], ['맞습니다.'], ['네.']]);
  const slow = [said(0, '네.', 'A'), said(0.9, '맞습니다.', 'A')];
  expect(cuesOf(slow).map(({ lines }) => lines)).toEqual([['네.'], ['맞습니다.']]);
});

test('Japanese sentences that share a cue have no space between them', () => {
  const segments = ['はい。', 'そうです。'].map((text, index) => ({
    start: index * 0.3,
    end: index * 0.3 + 0.3,
    text,
  }));
  expect(cuesOf(segments).map(({ lines }) => lines)).toEqual([['はい。そうです。']]);
});

test.each([
  ['그는 「회의록」 (초안)을 "오늘" 보냈습니다', 12],
  ['彼は「議事録」を（案として）送りました', 10],
  ['say “yes” (or [no]) to it', 8],
])('no line of "%s" ends in an opening bracket or quotation mark', (text, maxLineWidth) => {
  const lines = linesOf({ start: 0, end: 9, text }, { maxLineWidth, maxLines: 1 }).flat();
  expect(lines.length).toBeGreaterThan(1);
  for (const line of lines) expect(line).not.toMatch(/[「（([“]$/u);
});

test('a word wider than a line stands on a line of its own', () => {
  const segment = { start: 0, end: 4, text: `see ${'x'.repeat(60)} now` };
  expect(linesOf(segment).flat().length).toBeGreaterThan(1);
  expect(linesOf(segment).flat().join(' ')).toBe(segment.text);
});

test('ctm holds no word without duration, and none beside another', () => {
  const words = ['one', 'two', 'three'].map((word) => ({ word, start: 1, end: 1, confidence: 1 }));
  const document = formatSegments([{ start: 0.5, end: 1, text: 'one two three', words }], 'ctm');
  const times = document
    .trim()
    .split('\n')
    .map((line) => line.split(' ').slice(2, 4).map(Number));
  expect(times).toEqual([
    [0.97, 0.01],
    [0.98, 0.01],
    [0.99, 0.01],
  ]);
});

test('vtt with word cues is laid out as any vtt', () => {
  const words = Array.from({ length: 30 }, (_, index) => `word${index}`);
  const plain = formatSegments([spoken(words)], 'vtt');
  const timed = formatSegments([spoken(words)], 'vtt', { wordCues: true });
  expect(timed.replace(/<[\d:.]+>/g, '')).toBe(plain);
  expect(timed.match(/<[\d:.]+>/g)).toHaveLength(27);
});

const anyWord = fc.record({
  word: fc.constantFrom(
    'a',
    'meeting',
    'the,',
    '회의를',
    '시작합니다.',
    '会议',
    'x'.repeat(20),
    '(그',
  ),
  gapMs: fc.constantFrom(0, 0, 0, 40, 400, 1600, 6000),
  lengthMs: fc.integer({ min: 0, max: 900 }),
});
const anySpeech = fc.array(
  fc.record({
    speaker: fc.constantFrom('A', 'B', undefined),
    words: fc.array(anyWord, { minLength: 1, maxLength: 25 }),
  }),
  { minLength: 1, maxLength: 5 },
);

type Drawn = typeof anySpeech extends fc.Arbitrary<infer Value> ? Value : never;

function speechOf(drawn: Drawn): TimedText[] {
  let atMs = 0;
  return drawn.map(({ speaker, words }) => {
    const timed = words.map(({ word, gapMs, lengthMs }) => {
      const startMs = atMs + gapMs;
      atMs = startMs + lengthMs;
      return { word, start: startMs / 1000, end: atMs / 1000, confidence: 1 };
    });
    return {
      start: timed[0]!.start,
      end: atMs / 1000,
      text: words.map(({ word }) => word).join(' '),
      words: timed,
      ...(speaker !== undefined && { speaker }),
    };
  });
}

test('no cue is wider, higher or longer than allowed, none spans a pause, no word is lost', () => {
  fc.assert(
    fc.property(anySpeech, fc.boolean(), (drawn, hasWords) => {
      const segments = speechOf(drawn).map((segment) =>
        hasWords ? segment : { ...segment, words: [] },
      );
      const cues = laidOut(segments, DEFAULT_SUBTITLE_LAYOUT);
      const problems: unknown[] = [];
      let lastStartMs = 0;
      for (const cue of cues) {
        const { lines, startMs, endMs } = cue;
        const units = lines.flat();
        const isLong = endMs - startMs > 7000 && units.length > 1;
        const isWide = withTextLines(cue).lines.some((line) => widthOf(line) > 42);
        const isPaused = units.some(
          (unit, index) => index > 0 && unit.startMs - units[index - 1]!.endMs >= 1500,
        );
        if (isLong || isWide || isPaused || lines.length > 2) problems.push(cue);
        if (startMs < lastStartMs || endMs <= startMs) problems.push([startMs, endMs]);
        lastStartMs = startMs;
      }
      expect(problems).toEqual([]);
      const shown = cues.flatMap((cue) => withTextLines(cue).lines).join('');
      expect(shown.replaceAll(' ', '')).toBe(
        segments.map(({ text }) => text.replaceAll(' ', '')).join(''),
      );
    }),
    { numRuns: 1000, seed: 7 },
  );
});

test('the time that it takes grows with the text, not with its square', () => {
  const cpuMs = (write: () => unknown): number => {
    const before = process.cpuUsage().user;
    write();
    return (process.cpuUsage().user - before) / 1000;
  };
  const text = '오늘 회의는 오후 두 시에 시작해서 네 시쯤 끝날 예정입니다. '.repeat(2300).trim();
  const segments = Array.from({ length: 5000 }, (_, index) => ({
    ...spoken(text.slice(0, 60).trim().split(' '), ' ', index * 8),
    speaker: `SPEAKER_0${index % 3}`,
  }));
  // A tenth of this on a quiet machine; both took seconds when lines were measured again and again.
  expect(cpuMs(() => formatSegments([{ start: 0, end: 9000, text }], 'srt'))).toBeLessThan(1000);
  expect(cpuMs(() => formatSegments(segments, 'srt'))).toBeLessThan(1000);
});
