import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Segment, Word } from '../../../../pipeline/contracts.ts';
import { assignSpeakers } from '../../../../pipeline/diarization/assign-speakers.ts';
import type { SpeakerTurn } from '../../../../pipeline/diarization/options.ts';

const turn = (speaker: string, start: number, end: number): SpeakerTurn => ({
  speaker,
  range: { start, end },
});
const word = (text: string, start: number, end: number): Word => ({
  text,
  range: { start, end },
  confidence: 0.5,
});
const segment = (text: string, words: readonly Word[], start: number, end: number): Segment => ({
  text,
  range: { start, end },
  confidence: 0.9,
  words,
  avgLogProb: -0.1,
  noSpeechProb: 0,
  compressionRatio: 1,
  temperature: 0,
});
const SEC = 16_000;
const linesOf = (segments: readonly Segment[]): unknown[] =>
  segments.map(({ speaker, text, range }) => [speaker, text, range.start / SEC, range.end / SEC]);

describe('assigning speakers', () => {
  test('splits a segment where the speaker changes, punctuation with the word before it', () => {
    const words = [
      word('Ready', 0, SEC),
      word('then', SEC, 2 * SEC),
      word('Yes', 3 * SEC, 4 * SEC),
      word('I am', 4 * SEC, 5 * SEC),
    ];
    const turns = [turn('A', 0, 2 * SEC), turn('B', 3 * SEC, 5 * SEC)];
    const whole = segment('“Ready, then? Yes, I am.”', words, 0, 6 * SEC);
    expect(linesOf(assignSpeakers([whole], { exclusiveTurns: turns }))).toEqual([
      ['A', '“Ready, then?', 0, 2],
      ['B', 'Yes, I am.”', 3, 6],
    ]);
  });

  test('gives a word to the turn it overlaps most, or to the nearest one', () => {
    const turns = [
      turn('A', 0, 2 * SEC),
      turn('B', 2 * SEC, 3 * SEC),
      turn('A', 9 * SEC, 10 * SEC),
    ];
    const speakerOfWord = (start: number, end: number): string | undefined =>
      assignSpeakers([segment('x', [word('x', start * SEC, end * SEC)], start * SEC, end * SEC)], {
        exclusiveTurns: turns,
      })[0]!.speaker;
    expect(speakerOfWord(1.5, 2.4)).toBe('A');
    expect(speakerOfWord(1.7, 2.6)).toBe('B');
    expect(speakerOfWord(4, 5)).toBe('B');
    expect(speakerOfWord(6, 8)).toBe('A');
    expect(speakerOfWord(11, 12)).toBe('A');
  });

  test('leaves a segment without words, or with other words than its text, whole', () => {
    const turns = [turn('A', 0, SEC), turn('B', SEC, 5 * SEC)];
    const other = [word('not', 0, SEC), word('this', SEC, 5 * SEC)];
    const segments = [segment('no words', [], 0, 4 * SEC), segment('23', other, 0, 5 * SEC)];
    expect(linesOf(assignSpeakers(segments, { exclusiveTurns: turns }))).toEqual([
      ['B', 'no words', 0, 4],
      ['B', '23', 0, 5],
    ]);
  });

  test('takes a single short word between words of one speaker for theirs', () => {
    const words = [word('a', 0, SEC), word('b', SEC, 1.2 * SEC), word('c', 1.2 * SEC, 2 * SEC)];
    const turns = [turn('A', 0, SEC), turn('B', SEC, 1.2 * SEC), turn('A', 1.2 * SEC, 2 * SEC)];
    const [only, ...rest] = assignSpeakers([segment('a b c', words, 0, 2 * SEC)], {
      exclusiveTurns: turns,
    });
    expect(rest).toEqual([]);
    expect(only!.words.map(({ speaker }) => speaker)).toEqual(['A', 'A', 'A']);
  });

  test('moves a doubtful change to the end of the sentence, and keeps a remark between two', () => {
    const sentence = [
      word('ask', 0, 0.3 * SEC),
      word('the', 0.3 * SEC, 0.5 * SEC),
      word('team.', 0.5 * SEC, 0.9 * SEC),
      word('Right.', 0.9 * SEC, 1.2 * SEC),
      word('And', 1.2 * SEC, 1.5 * SEC),
      word('then', 1.5 * SEC, 2.5 * SEC),
    ];
    const turns = [
      turn('A', 0, 0.6 * SEC),
      turn('B', 0.6 * SEC, 1.25 * SEC),
      turn('A', 1.25 * SEC, 3 * SEC),
    ];
    const text = 'ask the team. Right. And then';
    expect(
      assignSpeakers([segment(text, sentence, 0, 3 * SEC)], { exclusiveTurns: turns }).map(
        (piece) => [piece.speaker, piece.text],
      ),
    ).toEqual([
      ['A', 'ask the team.'],
      ['B', 'Right.'],
      ['A', 'And then'],
    ]);
  });

  test('takes the dot of a title for no end of a sentence, where a change would be cheap', () => {
    const words = [
      word('call', 0, 0.4 * SEC),
      word('Dr.', 0.4 * SEC, 0.8 * SEC),
      word('Kim', 0.8 * SEC, 1.1 * SEC),
      word('now.', 1.1 * SEC, 1.2 * SEC),
    ];
    const turns = [turn('A', 0, 0.8 * SEC), turn('B', 0.8 * SEC, 1.2 * SEC)];
    const whole = segment('call Dr. Kim now.', words, 0, 1.2 * SEC);
    expect(linesOf(assignSpeakers([whole], { exclusiveTurns: turns }))).toEqual([
      ['A', 'call Dr. Kim now.', 0, 1.2],
    ]);
  });

  test('changes nothing where nobody was heard', () => {
    const segments = [segment('a', [word('a', 0, SEC)], 0, SEC)];
    expect(assignSpeakers(segments, { exclusiveTurns: [] })).toEqual(segments);
  });

  test('the pieces are the text, in order and inside their segment, whatever the turns', () => {
    const arbitraryWord = fc.record({
      text: fc.constantFrom('a', 'ab', '네', '그래서', '23', "it's", '好'),
      mark: fc.constantFrom('', ',', '.', ' —', '?'),
      gap: fc.integer({ min: 0, max: 4000 }),
      length: fc.integer({ min: 0, max: 9000 }),
    });
    const arbitraryTurn = fc.record({
      speaker: fc.constantFrom('A', 'B', 'C'),
      gap: fc.integer({ min: 0, max: 5000 }),
      length: fc.integer({ min: 1, max: 20_000 }),
    });
    fc.assert(
      fc.property(
        fc.array(arbitraryWord, { minLength: 1, maxLength: 12 }),
        fc.array(arbitraryTurn, { minLength: 1, maxLength: 8 }),
        fc.constantFrom(' ', ''),
        (spoken, heard, space) => {
          let at = 0;
          const words = spoken.map(({ text, gap, length }) => {
            at += gap + length;
            return word(text, at - length, at);
          });
          let turnAt = 0;
          const turns = heard.map(({ speaker, gap, length }) => {
            turnAt += gap + length;
            return turn(speaker, turnAt - length, turnAt);
          });
          const text = spoken.map((item) => item.text + item.mark).join(space);
          const pieces = assignSpeakers([segment(text, words, 0, at + 100)], {
            exclusiveTurns: turns,
          });
          const bare = (value: string): string => value.replaceAll(/\s/g, '');
          expect(bare(pieces.map((piece) => piece.text).join(''))).toBe(bare(text));
          expect(pieces.flatMap((piece) => piece.words.map((item) => item.range))).toEqual(
            words.map(({ range }) => range),
          );
          let end = 0;
          for (const piece of pieces) {
            expect(piece.speaker).toBeDefined();
            expect(piece.range.start).toBeGreaterThanOrEqual(end);
            expect(piece.range.end).toBeGreaterThanOrEqual(piece.range.start);
            for (const { range, speaker } of piece.words) {
              expect(speaker).toBe(piece.speaker);
              expect(range.start).toBeGreaterThanOrEqual(piece.range.start);
              expect(range.end).toBeLessThanOrEqual(piece.range.end);
            }
            end = piece.range.end;
          }
        },
      ),
      { numRuns: 2000, seed: 5 },
    );
  });
});
