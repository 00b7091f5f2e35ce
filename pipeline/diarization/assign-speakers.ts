import type { Segment } from '../contracts.ts';
import type { Diarization } from './options.ts';
import { speakersOfWords } from './word-speakers.ts';

/**
 * Segments with speakers: each word belongs to whose turns hold it, and a segment is split where
 * the speaker changes. Segments without words, or whose words are
 * not those of its text, stay whole and belong to who speaks most in them. The pieces of a segment
 * are its text, without a character but white space lost, in order and within its range.
 */
export function assignSpeakers(
  segments: readonly Segment[],
  { exclusiveTurns }: Pick<Diarization, 'exclusiveTurns'>,
): Segment[] {
  if (exclusiveTurns.length === 0) return [...segments];
  return segments.flatMap((segment) => {
    const speakers = speakersOfWords(segment.words, exclusiveTurns);
    const [whole] = speakersOfWords([{ ...segment, text: '' }], exclusiveTurns);
    return splitAtChanges(segment, speakers) ?? [withSpeaker(segment, whole!)];
  });
}

interface WordRun {
  readonly speaker: string;
  readonly start: number;
  readonly end: number;
}

/** Consecutive words of one speaker, as word indices. */
function runsOf(speakers: readonly string[]): WordRun[] {
  const starts = [...speakers.keys()].filter(
    (word) => word === 0 || speakers[word] !== speakers[word - 1],
  );
  return starts.map((start, index) => ({
    speaker: speakers[start]!,
    start,
    end: starts[index + 1] ?? speakers.length,
  }));
}

/** Null for a segment whose text cannot be cut at its words. */
function splitAtChanges(segment: Segment, speakers: readonly string[]): Segment[] | null {
  const cuts = wordStarts(segment);
  if (cuts === null) return null;
  const runs = runsOf(speakers);
  if (runs.length === 1) return [withSpeaker(segment, runs[0]!.speaker)];
  return runs.map(({ speaker, start, end }, index) => {
    const isLast = index === runs.length - 1;
    const words = segment.words.slice(start, end);
    const piece = {
      ...segment,
      text: segment.text
        .slice(index === 0 ? 0 : cuts[start], isLast ? undefined : cuts[end])
        .trim(),
      range: {
        start: index === 0 ? segment.range.start : words[0]!.range.start,
        end: isLast ? segment.range.end : words.at(-1)!.range.end,
      },
      confidence: words.reduce((sum, { confidence }) => sum + confidence, 0) / words.length,
      words,
    };
    return withSpeaker(piece, speaker);
  });
}

/** Where each word begins in the text; null without words, or when one is not found in order. */
function wordStarts({ text, words }: Segment): number[] | null {
  const starts: number[] = [];
  let position = 0;
  for (const word of words) {
    const spelling = word.text.trim();
    const start = text.indexOf(spelling, position);
    if (start < 0) return null;
    starts.push(start);
    position = start + spelling.length;
  }
  return starts.length === 0 ? null : starts;
}

const withSpeaker = (segment: Segment, speaker: string): Segment => ({
  ...segment,
  speaker,
  words: segment.words.map((word) => ({ ...word, speaker })),
});
