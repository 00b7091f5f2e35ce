import type { SampleRange } from '../../audio/time.ts';
import type { Segment, Word } from '../contracts.ts';
import type { Diarization, SpeakerTurn } from './options.ts';

/** A shorter change of speaker and back within a segment is doubt about word times, not a remark. */
const MIN_REMARK_SAMPLES = 4800;

/**
 * Segments with speakers: each word belongs to the turn that it overlaps most, else to the nearest
 * one, and a segment is split where the speaker changes. Segments without words, or whose words are
 * not those of its text, stay whole and belong to who speaks most in them. The pieces of a segment
 * are its text, without a character but white space lost, in order and within its range.
 */
export function assignSpeakers(
  segments: readonly Segment[],
  { exclusiveTurns }: Pick<Diarization, 'exclusiveTurns'>,
): Segment[] {
  if (exclusiveTurns.length === 0) return [...segments];
  return segments.flatMap((segment) => {
    const speakers = withoutIslands(
      segment.words,
      segment.words.map(({ range }) => speakerOf(range, exclusiveTurns)),
    );
    const pieces = splitAtChanges(segment, speakers);
    return pieces ?? [wholeSegment(segment, exclusiveTurns)];
  });
}

/** Who speaks most of the range; where nobody does, whose turn is nearest, the earlier of two. */
function speakerOf(range: SampleRange, turns: readonly SpeakerTurn[]): string {
  const first = Math.max(0, indexOfLastStartingBefore(range.start, turns));
  const overlaps = new Map<string, number>();
  for (let index = first; index < turns.length && turns[index]!.range.start < range.end; index++) {
    const { speaker, range: turn } = turns[index]!;
    const overlap = Math.min(turn.end, range.end) - Math.max(turn.start, range.start);
    if (overlap > 0) overlaps.set(speaker, (overlaps.get(speaker) ?? 0) + overlap);
  }
  const [most] = [...overlaps].toSorted(([, a], [, b]) => b - a);
  if (most) return most[0];
  const before = turns[first]!;
  const after = turns[first + 1] ?? before;
  return distanceTo(after, range) < distanceTo(before, range) ? after.speaker : before.speaker;
}

const distanceTo = ({ range: turn }: SpeakerTurn, range: SampleRange): number =>
  Math.max(turn.start - range.end, range.start - turn.end, 0);

/** -1 when all turns start later. */
function indexOfLastStartingBefore(sample: number, turns: readonly SpeakerTurn[]): number {
  let [low, high] = [0, turns.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (turns[middle]!.range.start <= sample) low = middle + 1;
    else high = middle;
  }
  return low - 1;
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

function withoutIslands(words: readonly Word[], speakers: readonly string[]): string[] {
  const result = [...speakers];
  const runs = runsOf(speakers);
  for (const [index, { start, end }] of runs.entries()) {
    const [before, after] = [runs[index - 1], runs[index + 1]];
    if (before === undefined || before.speaker !== after?.speaker) continue;
    const duration = words[end - 1]!.range.end - words[start]!.range.start;
    if (duration < MIN_REMARK_SAMPLES) result.fill(before.speaker, start, end);
  }
  return result;
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

const wholeSegment = (segment: Segment, turns: readonly SpeakerTurn[]): Segment =>
  withSpeaker(segment, speakerOf(segment.range, turns));
