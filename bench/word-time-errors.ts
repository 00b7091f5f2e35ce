import { normalizeForScoring } from './word-errors.ts';

/** A word with its place in a recording. */
export interface PlacedWord {
  readonly text: string;
  readonly startSec: number;
  readonly endSec: number;
}

/** What is said without a pause that counts, and when. */
export interface SpokenPart {
  readonly text: string;
  readonly startSec: number;
  readonly endSec: number;
}

/** How the words of a recording stand to the pauses between its parts; seconds. */
export interface PauseErrors {
  /** Start of the first word of each part less the start of the part. */
  readonly firstStarts: readonly number[];
  /** End of the last word of each part less the end of the part. */
  readonly lastEnds: readonly number[];
  readonly words: number;
  /** Words of which more than `IN_PAUSE_SEC` lies in a pause. */
  readonly inPause: number;
  /** Words that begin before a pause and end behind it. */
  readonly across: number;
  /** Words whose middle is nearer to another part than to their own. */
  readonly misplaced: number;
}

const IN_PAUSE_SEC = 0.25;
const EDGE_SEC = 0.1;

/** The longest list of words that both wrote, in order, compared as texts are scored. */
export function sameWords(
  ours: readonly PlacedWord[],
  theirs: readonly PlacedWord[],
): [ours: PlacedWord, theirs: PlacedWord][] {
  const key = ({ text }: PlacedWord): string => normalizeForScoring(text);
  const pairs = commonSubsequence(ours.map(key), theirs.map(key));
  return pairs.map(([one, other]) => [ours[one]!, theirs[other]!]);
}

export function pauseErrors(
  words: readonly PlacedWord[],
  parts: readonly SpokenPart[],
): PauseErrors {
  const partOf = partsOfWords(words, parts);
  const ofPart = (part: number): PlacedWord[] => words.filter((_, word) => partOf[word] === part);
  const edges = parts.map((part, index) => ({ part, own: ofPart(index) }));
  const heard = edges.filter(({ own }) => own.length > 0);
  const pauses = parts
    .slice(1)
    .map(({ startSec }, i) => ({ from: parts[i]!.endSec, to: startSec }));
  const count = (isSo: (word: PlacedWord, index: number) => boolean): number =>
    words.filter(isSo).length;
  return {
    firstStarts: heard.map(({ part, own }) => own[0]!.startSec - part.startSec),
    lastEnds: heard.map(({ part, own }) => own.at(-1)!.endSec - part.endSec),
    words: words.length,
    inPause: count(({ startSec, endSec }) =>
      pauses.some(({ from, to }) => Math.min(endSec, to) - Math.max(startSec, from) > IN_PAUSE_SEC),
    ),
    across: count(({ startSec, endSec }) =>
      pauses.some(({ from, to }) => startSec < from - EDGE_SEC && endSec > to + EDGE_SEC),
    ),
    misplaced: count((word, index) => {
      const part = partOf[index];
      return part !== undefined && part !== nearestPart(word, parts);
    }),
  };
}

/** By the characters that word and part have in common; undefined for a word without any. */
function partsOfWords(words: readonly PlacedWord[], parts: readonly SpokenPart[]) {
  const charactersOf = (texts: readonly { readonly text: string }[]) =>
    texts.flatMap(({ text }, index) =>
      [...normalizeForScoring(text).replaceAll(' ', '')].map((character) => ({ character, index })),
    );
  const [written, said] = [charactersOf(words), charactersOf(parts)];
  const votes = words.map(() => new Map<number, number>());
  const pairs = commonSubsequence(
    written.map(({ character }) => character),
    said.map(({ character }) => character),
  );
  for (const [one, other] of pairs) {
    const vote = votes[written[one]!.index]!;
    const part = said[other]!.index;
    vote.set(part, (vote.get(part) ?? 0) + 1);
  }
  return votes.map((vote) => [...vote].toSorted(([, a], [, b]) => b - a)[0]?.[0]);
}

function nearestPart({ startSec, endSec }: PlacedWord, parts: readonly SpokenPart[]): number {
  const middle = (startSec + endSec) / 2;
  const distances = parts.map((part) => Math.max(part.startSec - middle, middle - part.endSec, 0));
  return distances.indexOf(Math.min(...distances));
}

/** Places of the longest common subsequence, in order. */
function commonSubsequence<Item>(one: readonly Item[], other: readonly Item[]) {
  const width = other.length + 1;
  const lengths = new Uint32Array((one.length + 1) * width);
  const isSame = (i: number, j: number): boolean => one[i] === other[j];
  for (let i = one.length - 1; i >= 0; i--) {
    for (let j = other.length - 1; j >= 0; j--) {
      lengths[i * width + j] = isSame(i, j)
        ? lengths[(i + 1) * width + j + 1]! + 1
        : Math.max(lengths[(i + 1) * width + j]!, lengths[i * width + j + 1]!);
    }
  }
  const pairs: [number, number][] = [];
  for (let i = 0, j = 0; i < one.length && j < other.length; ) {
    if (isSame(i, j)) pairs.push([i++, j++]);
    else if (lengths[(i + 1) * width + j]! >= lengths[i * width + j + 1]!) i++;
    else j++;
  }
  return pairs;
}
