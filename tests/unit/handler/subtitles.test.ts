import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { TimedText } from '../../../handler/formats/cue.ts';
import { formatSegments } from '../../../handler/formats/format-segments.ts';
import {
  DEFAULT_SUBTITLE_LAYOUT,
  layOutSubtitles,
} from '../../../handler/formats/subtitle-layout.ts';
import { widthOf } from '../../../handler/formats/text-units.ts';

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

const linesOf = (segment: TimedText, layout = {}) =>
  layOutSubtitles([segment], { ...DEFAULT_SUBTITLE_LAYOUT, ...layout }).map(({ lines }) => lines);

test('a cue with two lines is broken where both are about as long', () => {
  const segment = spoken(['one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine']);
  expect(linesOf(segment)).toEqual([['one two three four five', 'six seven eight nine']]);
});

test('a long segment becomes cues that start and end with their own words', () => {
  const words = Array.from({ length: 30 }, (_, index) => `word${index}`);
  const cues = layOutSubtitles([spoken(words)], DEFAULT_SUBTITLE_LAYOUT);
  expect(cues.map(({ startMs, endMs }) => [startMs, endMs])).toEqual([
    [0, 6500],
    [6500, 12_500],
    [12_500, 15_000],
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
  const cues = layOutSubtitles(
    [
      { start: 0, end: 0.2, text: 'Yes, of course, why would I not' },
      { start: 1, end: 1.1, text: 'Good' },
    ],
    DEFAULT_SUBTITLE_LAYOUT,
  );
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

test('no cue is wider, higher or longer than allowed, and no word is lost', () => {
  const anyWords = fc.array(
    fc.constantFrom('a', 'meeting', 'the,', '회의를', '시작합니다.', '会议', 'x'.repeat(20)),
    { minLength: 1, maxLength: 60 },
  );
  fc.assert(
    fc.property(anyWords, (words) => {
      const cues = layOutSubtitles([spoken(words)], DEFAULT_SUBTITLE_LAYOUT);
      expect(cues.flatMap(({ lines }) => lines).join(' ')).toBe(words.join(' '));
      for (const { lines, startMs, endMs } of cues) {
        expect(lines.length).toBeLessThanOrEqual(2);
        expect(Math.max(...lines.map(widthOf))).toBeLessThanOrEqual(42);
        expect(endMs - startMs).toBeLessThanOrEqual(7000);
      }
    }),
  );
});
