import type { CtcVocabulary, Emissions } from '../contracts.ts';
import { type CtcUnits, ctcUnits } from './ctc-units.ts';
import { ctcViterbi, STAR } from './ctc-viterbi.ts';

/** A word with its frames, half-open; not whole numbers where it had to be interpolated. */
export interface FramedWord {
  readonly startFrame: number;
  readonly endFrame: number;
  /** Mean probability of its characters, 0–1; null where the model cannot spell it. */
  readonly score: number | null;
}

/** What a wildcard loses per frame to the likeliest class: enough to leave each its own sound. */
const STAR_PENALTY = 0.5;
/** Models write a character at its peak: a word's last sound goes on for up to so many frames. */
const TAIL_FRAMES = 2;

/**
 * The frames of each word of a known text: ordered, never overlapping, none without. Blanks at a
 * word's edges are not part of it. A word without sounds lies between its neighbours. Undefined where
 * the text is too long for the audio, or nothing of it can be spelt.
 */
export function ctcWords(
  emissions: Emissions,
  words: readonly { readonly text: string; readonly spaceBefore: boolean }[],
  vocabulary: CtcVocabulary,
  language: string,
): FramedWord[] | undefined {
  const units = ctcUnits(words, vocabulary, language);
  if (!units.targets.some((target) => target !== STAR && target !== vocabulary.delimiterId)) {
    return undefined;
  }
  const star = units.targets.includes(STAR) ? starOf(emissions) : undefined;
  const path = ctcViterbi(emissions, {
    targets: units.targets,
    optional: units.optional,
    blankId: vocabulary.blankId,
    ...(star && { star }),
  });
  if (path === undefined) return undefined;
  return interpolated(words, spansOf(path, units, emissions, words.length), emissions.frames);
}

/** Log-probability of any sound: that of the likeliest class, blank too, since sounds have pauses. */
function starOf({ logProbs, frames, classes }: Emissions): Float32Array {
  return Float32Array.from({ length: frames }, (_, frame) => {
    let highest = Number.NEGATIVE_INFINITY;
    for (let at = frame * classes; at < (frame + 1) * classes; at++) {
      if (logProbs[at]! > highest) highest = logProbs[at]!;
    }
    return highest - STAR_PENALTY;
  });
}

function spansOf(
  path: Int32Array,
  { targets, wordOf }: CtcUnits,
  { logProbs, classes }: Emissions,
  wordCount: number,
): (FramedWord | undefined)[] {
  const starts = new Int32Array(wordCount).fill(-1);
  const ends = new Int32Array(wordCount);
  const sums = new Float64Array(wordCount);
  const counts = new Int32Array(wordCount);
  for (const [frame, unit] of path.entries()) {
    const word = unit < 0 ? -1 : wordOf[unit]!;
    if (word < 0) continue;
    if (starts[word]! < 0) starts[word] = frame;
    ends[word] = frame + 1;
    if (targets[unit] === STAR) continue;
    sums[word]! += Math.exp(logProbs[frame * classes + targets[unit]!]!);
    counts[word]! += 1;
  }
  return Array.from(starts, (startFrame, word) => {
    if (startFrame < 0) return undefined;
    const score = counts[word] === 0 ? null : sums[word]! / counts[word]!;
    return { startFrame, endFrame: ends[word]!, score };
  });
}

/** Gives words without frames those between their neighbours, by length; ends reach into the blank. */
function interpolated(
  words: readonly { readonly text: string }[],
  spans: readonly (FramedWord | undefined)[],
  frames: number,
): FramedWord[] {
  const result: FramedWord[] = [];
  for (let word = 0; word < spans.length; ) {
    const span = spans[word];
    if (span !== undefined) {
      const next = spans[word + 1]?.startFrame ?? frames;
      const tail = spans[word + 1] === undefined && word + 1 < spans.length ? 0 : TAIL_FRAMES;
      result.push({
        ...span,
        endFrame: span.endFrame + Math.min(tail, (next - span.endFrame) / 2),
      });
      word += 1;
      continue;
    }
    const known = spans.findIndex((other, index) => index > word && other !== undefined);
    const until = known < 0 ? spans.length : known;
    const from = result.at(-1)?.endFrame ?? 0;
    const to = spans[until]?.startFrame ?? frames;
    const lengths = words.slice(word, until).map(({ text }) => [...text].length);
    result.push(...sharedOut(lengths, from, Math.max(from, to)));
    word = until;
  }
  return result;
}

function sharedOut(lengths: readonly number[], from: number, to: number): FramedWord[] {
  const perCharacter =
    (to - from) /
    Math.max(
      1,
      lengths.reduce((sum, length) => sum + length, 0),
    );
  let at = from;
  return lengths.map((length) => {
    const startFrame = at;
    at += length * perCharacter;
    return { startFrame, endFrame: at, score: null };
  });
}
