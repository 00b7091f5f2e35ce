import { msToSamples, type SampleRange } from '../../audio/time.ts';
import { runConcurrently } from '../bounded-concurrency.ts';
import type { AlignmentModel, Emissions, Segment, Word } from '../contracts.ts';
import { ctcWords, type FramedWord } from './ctc-words.ts';
import { placeWords } from './place-words.ts';

type AlignmentGeometry = Pick<
  AlignmentModel,
  'vocabulary' | 'samplesPerFrame' | 'receptiveFieldSamples' | 'maxWindowSamples'
>;

export interface AlignSegmentsOptions {
  readonly emissionsOf: (range: SampleRange) => Promise<Emissions>;
  readonly geometry: AlignmentGeometry;
  readonly language: string;
  readonly audioSamples: number;
  /** Segments whose emissions may be under way at once. */
  readonly concurrency: number;
  /** Others stay as they are; all are wanted by default. */
  readonly isWanted?: (segment: Segment) => boolean;
  readonly signal: AbortSignal;
}

export interface AlignedSegments {
  readonly segments: readonly Segment[];
  /** How many have words from the alignment. */
  readonly aligned: number;
  /** Where segments with words were wanted, but not heard. */
  readonly missed: readonly SampleRange[];
}

/** How far a word may lie outside of the segment that the recogniser gave it, into the pause. */
const PAD_SAMPLES = msToSamples(300);
/** Below this mean probability of its characters a text does not belong to its audio. */
const MIN_SCORE = 0.01;

/**
 * The same segments with words where the emissions hear them. A segment then begins with its first
 * word and ends with its last one, at most 0.3 s outside of where it was and never over a neighbour;
 * its text and its words' texts and confidences stay. Segments without words, longer than the model
 * can hear, too short for their text, or whose text the model does not hear stay as they are.
 */
export async function alignSegments(
  segments: readonly Segment[],
  options: AlignSegmentsOptions,
): Promise<AlignedSegments> {
  const { concurrency, signal, isWanted = () => true } = options;
  const result = [...segments];
  const missed: SampleRange[] = [];
  let aligned = 0;
  const align = async ([index, segment]: [number, Segment]): Promise<void> => {
    if (segment.words.length === 0 || !isWanted(segment)) return;
    const neighbours = { previous: segments[index - 1], next: segments[index + 1] };
    const heard = await aligning(segment, neighbours, options);
    if (heard === undefined) missed.push(segment.range);
    else {
      aligned += 1;
      result[index] = heard;
    }
  };
  await runConcurrently(
    async function* () {
      yield* segments.entries();
    },
    { limit: concurrency, work: align },
    signal,
  );
  return { segments: result, aligned, missed };
}

interface Neighbours {
  readonly previous: Segment | undefined;
  readonly next: Segment | undefined;
}

/** Undefined where the text is not heard. */
async function aligning(
  segment: Segment,
  neighbours: Neighbours,
  { emissionsOf, geometry, language, audioSamples }: AlignSegmentsOptions,
): Promise<Segment | undefined> {
  const range = paddedRange(segment, neighbours, audioSamples);
  if (range.end - range.start > geometry.maxWindowSamples) return undefined;
  const emissions = await emissionsOf(range);
  const framed = ctcWords(emissions, wordTexts(segment), geometry.vocabulary, language);
  if (framed === undefined || meanScore(framed) < MIN_SCORE) return undefined;
  return withWords(segment, framed, range, geometry);
}

/** Half of the pause on each side, at most `PAD_SAMPLES`. */
function paddedRange(
  { range: { start, end } }: Segment,
  { previous, next }: Neighbours,
  audioSamples: number,
): SampleRange {
  const before = previous === undefined ? start : (start - previous.range.end) / 2;
  const behind = next === undefined ? audioSamples - end : (next.range.start - end) / 2;
  return {
    start: start - Math.floor(Math.min(PAD_SAMPLES, Math.max(0, before))),
    end: end + Math.floor(Math.min(PAD_SAMPLES, Math.max(0, behind))),
  };
}

/** Whether a space stands before each word is read off the text: the words themselves have none. */
function wordTexts({ text, words }: Segment) {
  let at = 0;
  return words.map((word) => {
    const wanted = word.text.trim();
    const found = text.indexOf(wanted, at);
    const spaceBefore = found > 0 && /\s/.test(text[found - 1]!);
    if (found >= 0) at = found + wanted.length;
    return { text: wanted, spaceBefore };
  });
}

/** 1 where no word could be spelt. */
function meanScore(words: readonly FramedWord[]): number {
  const scores = words.flatMap(({ score }) => (score === null ? [] : [score]));
  return scores.length === 0 ? 1 : scores.reduce((sum, score) => sum + score, 0) / scores.length;
}

function withWords(
  segment: Segment,
  framed: readonly FramedWord[],
  window: SampleRange,
  { samplesPerFrame, receptiveFieldSamples }: AlignmentGeometry,
): Segment {
  // A frame stands for the middle of what it hears.
  const offset = (receptiveFieldSamples - samplesPerFrame) / 2;
  const length = window.end - window.start;
  const toSample = (frame: number): number =>
    Math.max(0, Math.min(length, Math.round(frame * samplesPerFrame + offset)));
  const timed = framed.map(({ startFrame, endFrame }, index) => ({
    text: segment.words[index]!.text,
    start: startFrame === 0 ? 0 : toSample(startFrame),
    end: toSample(endFrame),
    confidence: segment.words[index]!.confidence,
  }));
  const placed = placeWords(timed, window, (sample) => window.start + sample);
  const words: Word[] = segment.words.map((word, i) => ({ ...word, range: placed[i]!.range }));
  return {
    ...segment,
    words,
    range: { start: words[0]!.range.start, end: words.at(-1)!.range.end },
  };
}
