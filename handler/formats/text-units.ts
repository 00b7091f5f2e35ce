import { eastAsianWidth } from 'get-east-asian-width';
import { oneLine, type TimedText } from './cue.ts';

/** A piece of a segment that is never broken, with the space before it; milliseconds. */
export interface TextUnit {
  readonly text: string;
  readonly startMs: number;
  readonly endMs: number;
}

const WORDS = new Intl.Segmenter('und', { granularity: 'word' });

/** Columns on a screen: East Asian wide characters count double, combining marks nothing. */
export const widthOf = (text: string): number =>
  [...text].reduce(
    (sum, character) =>
      sum + (/\p{M}/u.test(character) ? 0 : eastAsianWidth(character.codePointAt(0)!)),
    0,
  );

/**
 * A segment as units in time order that together are its text: its words with their own times, or
 * where it has none, what Unicode calls words, timed by their width.
 */
export const unitsOf = (segment: TimedText): TextUnit[] =>
  timedUnits(segment) ?? interpolatedUnits(segment);

/** Undefined where the words are not the text, as after a rewriting of numbers. */
function timedUnits({ text, words = [] }: TimedText): TextUnit[] | undefined {
  const line = oneLine(text);
  const units: TextUnit[] = [];
  let at = 0;
  for (const { word, start, end } of words) {
    const found = line.indexOf(oneLine(word), at);
    if (found < 0 || line.slice(at, found).trim() !== '') return undefined;
    const next = found + oneLine(word).length;
    const startMs = Math.round(start * 1000);
    units.push({ text: line.slice(at, next), startMs, endMs: Math.round(end * 1000) });
    at = next;
  }
  return line.slice(at).trim() === '' && units.length > 0 ? units : undefined;
}

function interpolatedUnits({ text, start, end }: TimedText): TextUnit[] {
  const line = oneLine(text);
  const total = Math.max(1, widthOf(line));
  const startMs = start * 1000;
  const msPerColumn = (end * 1000 - startMs) / total;
  let column = 0;
  return unbreakable(line).map((piece) => {
    const from = column;
    column += widthOf(piece);
    return {
      text: piece,
      startMs: Math.round(startMs + from * msPerColumn),
      endMs: Math.round(startMs + column * msPerColumn),
    };
  });
}

/** Words with the space before and the punctuation behind them. */
function unbreakable(line: string): string[] {
  const pieces: string[] = [];
  let space = '';
  for (const { segment, isWordLike } of WORDS.segment(line)) {
    if (segment.trim() === '') space += segment;
    else if (isWordLike !== true && space === '' && pieces.length > 0) {
      pieces.push(`${pieces.pop()}${segment}`);
    } else {
      pieces.push(space + segment);
      space = '';
    }
  }
  return pieces;
}
