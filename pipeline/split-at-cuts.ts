import type { SampleRange } from '../audio/time.ts';
import type { Word } from './contracts.ts';
import { pieceAt, type WindowPieces } from './time-map.ts';

/** Words that stand together, with their place in the recording. */
export interface WordGroup {
  readonly range: SampleRange;
  /** Numbers of the first word and of the one behind the last. */
  readonly from: number;
  readonly to: number;
}

/**
 * Cuts a segment's words where silence was taken out of the window: each group lies on one side of
 * every cut, and reaches to it where the segment went on. Groups are ordered and never overlap, and
 * every word lies inside its group.
 */
export function splitAtCuts(
  words: readonly Word[],
  segment: SampleRange,
  pieces: WindowPieces,
): WordGroup[] {
  const groups = groupsByPiece(words, pieces);
  let previousEnd = segment.start;
  return groups.map(({ piece, from, to }) => {
    const { start: pieceStart, end: pieceEnd } = pieces[piece]!;
    const start = Math.max(previousEnd, Math.min(pieceStart, words[from]!.range.start));
    const nextStart = words[to]?.range.start ?? segment.end;
    const end = Math.min(Math.max(pieceEnd, words[to - 1]!.range.end), nextStart);
    previousEnd = end;
    return { range: { start, end }, from, to };
  });
}

function groupsByPiece(words: readonly Word[], pieces: WindowPieces) {
  const groups: { piece: number; from: number; to: number }[] = [];
  for (const [at, { range }] of words.entries()) {
    const piece = pieceAt(pieces, Math.floor((range.start + range.end) / 2));
    const last = groups.at(-1);
    if (last?.piece === piece) last.to = at + 1;
    else groups.push({ piece, from: at, to: at + 1 });
  }
  return groups;
}
