import type { SampleRange } from '../audio/time.ts';

/** Pieces of the recording, in order and apart, that stand side by side in a window. */
export type WindowPieces = readonly SampleRange[];

const lengthOf = ({ start, end }: SampleRange): number => end - start;

export const windowSamplesOf = (pieces: WindowPieces): number =>
  pieces.reduce((sum, piece) => sum + lengthOf(piece), 0);

/** From the start of the first piece to the end of the last. At least one piece. */
export const spanOf = (pieces: WindowPieces): SampleRange => ({
  start: pieces[0]!.start,
  end: pieces.at(-1)!.end,
});

/**
 * Place in the recording of a sample of the window. Ascending; before the window and behind it time
 * runs on, so that the differences within a piece hold everywhere.
 */
export function toRecording(pieces: WindowPieces, windowSample: number): number {
  let done = 0;
  for (const piece of pieces) {
    if (windowSample < done + lengthOf(piece)) return piece.start + windowSample - done;
    done += lengthOf(piece);
  }
  return spanOf(pieces).end + windowSample - done;
}

/** Place in the recording of a range of the window: its end stays on the side of what it ends. */
export const toRecordingRange = (pieces: WindowPieces, range: SampleRange): SampleRange => ({
  start: toRecording(pieces, range.start),
  end: toRecording(pieces, range.end - 1) + 1,
});

/**
 * The pieces that hold regions of speech and the pauses between them. Of a pause longer than
 * `maxPauseSamples` only so much is kept, half of it on each side.
 * @param regions ordered and apart.
 */
export function piecesAround(
  regions: readonly SampleRange[],
  maxPauseSamples: number,
): readonly SampleRange[] {
  const pieces: SampleRange[] = [];
  for (const { start, end } of regions) {
    const previous = pieces.at(-1);
    if (previous === undefined) pieces.push({ start, end });
    else if (start - previous.end <= maxPauseSamples) {
      pieces[pieces.length - 1] = { start: previous.start, end };
    } else {
      const before = Math.ceil(maxPauseSamples / 2);
      pieces[pieces.length - 1] = { start: previous.start, end: previous.end + before };
      pieces.push({ start: start - (maxPauseSamples - before), end });
    }
  }
  return pieces;
}

/** The pieces from a sample of the window on, which must lie inside it. */
export function piecesFrom(pieces: WindowPieces, windowSample: number): WindowPieces {
  const start = toRecording(pieces, windowSample);
  return pieces
    .filter((piece) => piece.end > start)
    .map((piece) => ({ start: Math.max(piece.start, start), end: piece.end }));
}

/** Number of the piece that a sample of the recording lies in, or of the last one before it. */
export function pieceAt(pieces: WindowPieces, sample: number): number {
  const next = pieces.findIndex(({ start }) => start > sample);
  return next === -1 ? pieces.length - 1 : Math.max(0, next - 1);
}
