import type { Segment } from '../../../../pipeline/contracts.ts';
import { type Piece, textOf, toPieces } from '../../../../pipeline/postprocess/pieces.ts';

const WORD_SAMPLES = 8000;

/** A segment whose words last half a second; `|` in the text stands for a pause of half a second. */
export function segmentOf(text: string): Segment {
  let at = 0;
  const words = text
    .split(' ')
    .filter((word) => word !== '')
    .flatMap((word) => {
      if (word === '|') {
        at += WORD_SAMPLES;
        return [];
      }
      const range = { start: at, end: at + WORD_SAMPLES };
      at = range.end;
      return { text: word, range, confidence: 0.5 };
    });
  return {
    text: words.map((word) => word.text).join(' '),
    range: { start: 0, end: at },
    confidence: 0.5,
    words,
    avgLogProb: -0.1,
    noSpeechProb: 0,
    compressionRatio: 1,
    temperature: 0,
  };
}

/** What `change` makes of a text. */
export const changed = (text: string, change: (pieces: Piece[]) => Piece[]): string =>
  textOf(change(toPieces(segmentOf(text))));
