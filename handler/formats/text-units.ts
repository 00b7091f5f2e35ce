import { oneLine, type TimedText } from './cue.ts';
import { widthOf } from './display-width.ts';

/** A piece of a segment that is never broken; milliseconds and columns. */
export interface TextUnit {
  readonly text: string;
  /** Whether a space stands before it. */
  readonly isSpaced: boolean;
  readonly width: number;
  readonly startMs: number;
  readonly endMs: number;
}

const WORDS = new Intl.Segmenter('und', { granularity: 'word' });
/** No line ends in one: it belongs to the word behind it. */
const OPENING = /^[\p{Ps}\p{Pi}"'¿¡]+$/u;
const MAY_CLOSE = /^["']+$/;

/**
 * A segment as units in time order that together are its text: its words with their own times, or
 * where it has none, what Unicode calls words, timed by their width.
 */
export const unitsOf = (segment: TimedText): TextUnit[] =>
  withOpenings(timedUnits(segment) ?? interpolatedUnits(segment));

/** Undefined where the words are not the text, as after a rewriting of numbers. */
function timedUnits({ text, words = [] }: TimedText): TextUnit[] | undefined {
  const line = oneLine(text);
  const units: TextUnit[] = [];
  let at = 0;
  for (const { word, start, end } of words) {
    const wanted = oneLine(word);
    if (wanted === '') continue;
    const isSpaced = line[at] === ' ';
    const found = isSpaced ? at + 1 : at;
    if (!line.startsWith(wanted, found)) return undefined;
    units.push({
      text: wanted,
      isSpaced,
      width: widthOf(wanted),
      startMs: Math.round(start * 1000),
      endMs: Math.round(end * 1000),
    });
    at = found + wanted.length;
  }
  return at === line.length && units.length > 0 ? units : undefined;
}

function interpolatedUnits({ text, start, end }: TimedText): TextUnit[] {
  const pieces = unbreakable(oneLine(text));
  let total = 0;
  for (const { width, isSpaced } of pieces) total += width + Number(isSpaced);
  const startMs = start * 1000;
  const msPerColumn = (end * 1000 - startMs) / Math.max(1, total);
  const units: TextUnit[] = [];
  let column = 0;
  for (const { text: word, isSpaced, width } of pieces) {
    const from = startMs + column * msPerColumn;
    column += width + Number(isSpaced);
    const endMs = Math.round(startMs + column * msPerColumn);
    units.push({ text: word, isSpaced, width, startMs: Math.round(from), endMs });
  }
  return units;
}

type Piece = Pick<TextUnit, 'text' | 'isSpaced' | 'width'>;

/** Words with their punctuation; without spaces between them, what Unicode calls words. */
function unbreakable(line: string): Piece[] {
  const pieces: Piece[] = [];
  for (const token of line.split(' ')) {
    if (token === '') continue;
    const isSpaced = pieces.length > 0;
    const width = widthOf(token);
    if (width <= MAX_WHOLE_WIDTH && !UNSPACED.test(token)) {
      pieces.push({ text: token, isSpaced, width });
      continue;
    }
    for (const [index, text] of partsOf(token).entries()) {
      pieces.push({ text, isSpaced: isSpaced && index === 0, width: widthOf(text) });
    }
  }
  return pieces;
}

/** A longer one without a space is broken where it can be. */
const MAX_WHOLE_WIDTH = 24;
/** Han, kana, Thai, Lao, Myanmar and Khmer, by their blocks: a test of scripts takes longer. */
const UNSPACED =
  /[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\uff66-\uff9d\ud840-\ud88f]/;
/** The segmenter takes time as the square of the length. */
const SLICE_CHARS = 400;

function partsOf(token: string): string[] {
  const parts: string[] = [];
  for (const slice of slicesOf(token)) {
    for (const { segment, isWordLike } of WORDS.segment(slice)) {
      const isMark = isWordLike !== true && !isOpening(segment);
      if (isMark && parts.length > 0) parts.push(parts.pop() + segment);
      else parts.push(segment);
    }
  }
  return parts;
}

/** Never between the halves of a character. */
function* slicesOf(token: string): Generator<string> {
  for (let at = 0; at < token.length; ) {
    const end = at + SLICE_CHARS;
    const isInside = /[\ud800-\udbff]/.test(token[end - 1] ?? '');
    yield token.slice(at, isInside ? end - 1 : end);
    at = isInside ? end - 1 : end;
  }
}

/** A quotation mark without a side may close. */
const isOpening = (text: string): boolean => OPENING.test(text) && !MAY_CLOSE.test(text);

/** Opening brackets and quotation marks that stand alone go to the unit behind them. */
function withOpenings(units: TextUnit[]): TextUnit[] {
  if (!units.some(({ text }) => OPENING.test(text))) return units;
  const result: TextUnit[] = [];
  let together: TextUnit[] = [];
  for (const unit of units) {
    together.push(unit);
    if (OPENING.test(unit.text)) continue;
    result.push(joined(together));
    together = [];
  }
  return together.length > 0 ? [...result, joined(together)] : result;
}

/** Timed as the last of them, which is the word. */
function joined(units: readonly TextUnit[]): TextUnit {
  const last = units.at(-1)!;
  if (units.length === 1) return last;
  const text = lineText(units);
  return { ...last, text, isSpaced: units[0]!.isSpaced, width: widthOf(text) };
}

/** The text of units that follow one another. */
export const lineText = (units: readonly TextUnit[]): string =>
  units.map(({ text, isSpaced }, index) => (isSpaced && index > 0 ? ` ${text}` : text)).join('');
