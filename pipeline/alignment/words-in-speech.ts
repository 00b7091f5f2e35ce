import { msToSamples, type SampleRange } from '../../audio/time.ts';
import type { Segment, Word } from '../contracts.ts';

export interface SpeechPlaces {
  /** Speech with its pads, in order and apart, as voice activity found it. */
  readonly regions: readonly SampleRange[];
  /** What a region has on each side beyond its speech, unless it touches its neighbour. */
  readonly padSamples: number;
  /** The first region is the rest of one. */
  readonly isContinued?: boolean;
}

/** How long the end of speech may follow that of its last word: attention ends early. */
const MAX_MISSED_SAMPLES = msToSamples(400);
/** What stays of a word. */
const MIN_WORD_SAMPLES = msToSamples(20);

/**
 * The same segments with words that begin and end where voice activity hears speech: a word that
 * reaches into a pause is cut at its edge, one that reaches across stays where more of it is, and the
 * last word before a pause lasts to the end of the speech if that is not 0.4 s away. Attention puts the
 * first word behind a pause some 0.1 s too early, and now and then a second. A word without any speech
 * stays as it is: voice activity may have missed it. Order is kept, and nothing overlaps.
 */
export function wordsInSpeech(segments: readonly Segment[], places: SpeechPlaces): Segment[] {
  const speech = speechWithin(places);
  const starts = segments.flatMap(({ words }) => words.map(({ range }) => range.start));
  let index = 0;
  return segments.map((segment, at) => {
    const nextSegment = segments[at + 1]?.range.start ?? Number.POSITIVE_INFINITY;
    const words = segment.words.map((word) => {
      index += 1;
      const nextStart = Math.min(starts[index] ?? Number.POSITIVE_INFINITY, nextSegment);
      return settled(word, speech, nextStart);
    });
    const end = Math.max(segment.range.end, words.at(-1)?.range.end ?? 0);
    return { ...segment, words, range: { ...segment.range, end } };
  });
}

interface Speech {
  readonly padded: SampleRange;
  /** Without its pads, as far as they are known. */
  readonly start: number;
  readonly end: number;
}

/** A region that touches another was cut, or shares the pause with it: where speech begins is unknown. */
function speechWithin({ regions, padSamples, isContinued }: SpeechPlaces): Speech[] {
  return regions.map((padded, index) => {
    const isRest = index === 0 && isContinued === true;
    const isApart = !isRest && padded.start > (regions[index - 1]?.end ?? 0);
    const isFollowed = regions[index + 1]?.start === padded.end;
    const start = isApart ? padded.start + padSamples : padded.start;
    return {
      padded,
      start: Math.min(start, padded.end),
      end: isFollowed ? padded.end : Math.max(start, padded.end - padSamples),
    };
  });
}

function settled(word: Word, speech: readonly Speech[], nextStart: number): Word {
  const { start, end } = word.range;
  const own = mostHeard(word.range, speech);
  if (own === undefined) return word;
  const isSoft = Math.min(end, own.padded.end) - own.start < MIN_WORD_SAMPLES;
  const from = Math.max(start, isSoft ? own.padded.start : own.start);
  const cut = Math.max(from + 1, Math.min(end, own.padded.end));
  const isLast = nextStart >= own.end;
  const mayLast = isLast && cut < own.end && own.end - cut <= MAX_MISSED_SAMPLES;
  return { ...word, range: { start: from, end: mayLast ? own.end : cut } };
}

/** The region that most of a range lies in, pads included; undefined where none does. */
function mostHeard({ start, end }: SampleRange, speech: readonly Speech[]): Speech | undefined {
  let best: Speech | undefined;
  let most = 0;
  for (const one of speech) {
    const heard = Math.min(end, one.padded.end) - Math.max(start, one.padded.start);
    if (heard <= most) continue;
    best = one;
    most = heard;
  }
  return best;
}
