import { msToSamples } from '../../audio/time.ts';
import { FILLERS, type Fillers } from './filler-words.ts';
import { mayBeNoun } from './korean/not-nouns.ts';
import { type Piece, pauseBetween, splitPunctuation } from './pieces.ts';

/** Silence that sets a word apart where no punctuation does. */
const PAUSE_SAMPLES = msToSamples(250);
const SETS_APART = /[,.…、，。!?]$/u;
const ENDS_SENTENCE = /[.!?。！？]/u;
/** Words of the longest phrase: you know. */
const MAX_WORDS = 2;

/**
 * Without hesitations. A mark that ended a sentence moves to the word before, a capital to the word
 * behind. "어?" asks and "어, 맞아요" answers: both stay.
 */
export function removeFillers(pieces: readonly Piece[], language: string): Piece[] {
  const fillers = FILLERS[language];
  if (!fillers) return [...pieces];
  const kept: Piece[] = [];
  let isCapital = false;
  for (let at = 0; at < pieces.length; ) {
    const count = fillerAt(pieces, at, fillers);
    if (count > 0) {
      const isStart = kept.length === 0 || ENDS_SENTENCE.test(markOf(kept.at(-1)!));
      isCapital ||= isStart && /^\p{Lu}/u.test(pieces[at]!.text);
      closeSentence(kept, markOf(pieces[at + count - 1]!));
    } else {
      kept.push(isCapital ? capitalized(pieces[at]!) : pieces[at]!);
      isCapital = false;
    }
    at += Math.max(1, count);
  }
  return kept;
}

const markOf = ({ text }: Piece): string => splitPunctuation(text).mark;

const capitalized = (piece: Piece): Piece => ({
  ...piece,
  text: piece.text.replace(/^\p{Ll}/u, (letter) => letter.toUpperCase()),
});

/** Pieces of the filler that begins there; 0 where none does. */
function fillerAt(pieces: readonly Piece[], at: number, fillers: Fillers): number {
  for (let count = Math.min(MAX_WORDS, pieces.length - at); count > 0; count--) {
    const phrase = pieces.slice(at, at + count);
    if (phrase.slice(0, -1).some((piece) => markOf(piece) !== '')) continue;
    const words = phrase.map(({ text }) => splitPunctuation(text).core.toLowerCase()).join(' ');
    if (isFiller(words, { pieces, at, count }, fillers)) return count;
  }
  return 0;
}

interface Place {
  readonly pieces: readonly Piece[];
  readonly at: number;
  readonly count: number;
}

function isFiller(words: string, place: Place, fillers: Fillers): boolean {
  const { pieces, at, count } = place;
  if (/[!?？！]/u.test(markOf(pieces[at + count - 1]!))) return false;
  if (fillers.always.has(words)) return !isAnswer(words, place, fillers);
  return fillers.apart.has(words) && (standsApart(place) || isLooseSyllable(words, place));
}

/** At the start of a sentence, set off from words of assent. */
function isAnswer(words: string, { pieces, at, count }: Place, fillers: Fillers): boolean {
  const before = pieces[at - 1];
  const isStart = before === undefined || ENDS_SENTENCE.test(markOf(before));
  const next = pieces[at + count];
  const isSetOff = markOf(pieces[at + count - 1]!) !== '';
  return (
    isStart &&
    isSetOff &&
    fillers.answers.has(words) &&
    next !== undefined &&
    fillers.assent.test(next.text)
  );
}

/** 에 is a particle behind nouns: it hesitates where none can be. */
function isLooseSyllable(words: string, { pieces, at }: Place): boolean {
  const before = pieces[at - 1];
  return words === '에' && (before === undefined || !mayBeNoun(splitPunctuation(before.text).core));
}

function standsApart({ pieces, at, count }: Place): boolean {
  const before = pieces[at - 1];
  const last = pieces[at + count - 1]!;
  const isAfterBreak =
    before === undefined ||
    SETS_APART.test(before.text) ||
    (pauseBetween(before, pieces[at]!) ?? 0) >= PAUSE_SAMPLES;
  const isBeforeBreak =
    SETS_APART.test(last.text) || (pauseBetween(last, pieces[at + count]) ?? 0) >= PAUSE_SAMPLES;
  return isAfterBreak && isBeforeBreak;
}

function closeSentence(kept: Piece[], mark: string): void {
  const last = kept.at(-1);
  if (!last || !ENDS_SENTENCE.test(mark)) return;
  const { core, mark: own } = splitPunctuation(last.text);
  if (!ENDS_SENTENCE.test(own)) kept[kept.length - 1] = { ...last, text: core + mark };
}
