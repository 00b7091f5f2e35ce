import { msToSamples, type SampleRange } from '../../audio/time.ts';
import { comparable, maySplitBehind } from './comparable-text.ts';
import { withoutOldWords } from './old-words.ts';

/** A word as captions carry it; `text` keeps the space that stood before it. */
export interface LiveWord {
  readonly text: string;
  /** In the session's audio. */
  readonly range: SampleRange;
  readonly confidence: number;
  /** Who says it; left out where that is not asked, or too little was heard. */
  readonly speaker?: string;
}

/** What is agreed on in the window that is being recognised again and again. Plain JSON. */
export interface Agreement {
  /** End of the last final word. */
  readonly finalEnd: number;
  /** Final words that the window still holds; recognised again, they are skipped. */
  readonly finalWords: readonly LiveWord[];
  /** What the last window said behind them. */
  readonly pendingWords: readonly LiveWord[];
  /** Final text before the window, its last characters. */
  readonly promptTail: string;
}

export interface AgreementOptions {
  /** A word is old if it starts this much before the end of the final words, or earlier. */
  readonly slackSamples: number;
  /** A repeated word is the same one if its start has moved less than this. */
  readonly sameWordSamples: number;
  /** Words that end within this distance of the window's end may be cut in half: they wait. */
  readonly tailGuardSamples: number;
  /** Words below this confidence wait, and all behind them with them, for more to be heard. */
  readonly doubtConfidence: number;
  /** The distance for these. */
  readonly doubtGuardSamples: number;
  readonly promptChars: number;
}

/** Measured by simulation in the literature on LocalAgreement with time-aware removal of repeats. */
export const DEFAULT_AGREEMENT_OPTIONS: AgreementOptions = {
  slackSamples: msToSamples(100),
  sameWordSamples: msToSamples(600),
  tailGuardSamples: msToSamples(700),
  doubtConfidence: 0.5,
  doubtGuardSamples: msToSamples(1500),
  promptChars: 200,
};

export const emptyAgreement = (start: number): Agreement => ({
  finalEnd: start,
  finalWords: [],
  pendingWords: [],
  promptTail: '',
});

export interface Heard {
  readonly words: readonly LiveWord[];
  readonly windowEnd: number;
  /** The window will not be recognised again: all that it says is final. */
  readonly isLast: boolean;
}

/**
 * LocalAgreement-2 (Macháček et al. 2023, arXiv 2307.14743) on words with times: what two windows in
 * a row say alike becomes final. Differs from the paper's code: a repeated word is recognised by its
 * time too, so that "네 네" stays two words; words are compared without case, punctuation and, in
 * scripts whose spacing wavers, spaces; the tail of a window is not trusted.
 */
export function agree(
  before: Agreement,
  { words, windowEnd, isLast }: Heard,
  options = DEFAULT_AGREEMENT_OPTIONS,
): { readonly agreement: Agreement; readonly finals: readonly LiveWord[] } {
  const fresh = withoutOldWords(words, before, options);
  const count = isLast ? fresh.length : agreedCount(fresh, before.pendingWords, windowEnd, options);
  const finals = inOrder(fresh.slice(0, count), before.finalEnd);
  const agreement = {
    ...before,
    finalEnd: finals.at(-1)?.range.end ?? before.finalEnd,
    finalWords: [...before.finalWords, ...finals],
    pendingWords: isLast ? [] : fresh.slice(count),
  };
  return { agreement, finals };
}

/** The window begins at `start` from now on; final words before it become prompt. */
export function trimmed(
  agreement: Agreement,
  start: number,
  { promptChars } = DEFAULT_AGREEMENT_OPTIONS,
): Agreement {
  const isBefore = ({ range }: LiveWord): boolean => range.end <= start;
  const left = agreement.finalWords.filter(isBefore).map(({ text }) => text);
  return {
    ...agreement,
    finalEnd: Math.max(agreement.finalEnd, start),
    finalWords: agreement.finalWords.filter((word) => !isBefore(word)),
    promptTail: (agreement.promptTail + left.join('')).slice(-promptChars),
  };
}

/**
 * How many words of `fresh` the window before said too and are far enough from the window's end. They
 * end where both windows have a space, or where spacing wavers: "can" waits for "not" while the other
 * window says "cannot".
 */
function agreedCount(
  fresh: readonly LiveWord[],
  pending: readonly LiveWord[],
  windowEnd: number,
  options: AgreementOptions,
): number {
  if (pending.length === 0) return 0;
  const said = pending.map(({ text }) => comparable(text));
  const whole = said.join('');
  const boundaries = new Set(said.map((_, index) => said.slice(0, index + 1).join('').length));
  let end = 0;
  let count = 0;
  for (const [index, { text, range, confidence }] of fresh.entries()) {
    const word = comparable(text);
    const isDoubtful = confidence < options.doubtConfidence;
    const guard = isDoubtful ? options.doubtGuardSamples : options.tailGuardSamples;
    if (!whole.startsWith(word, end) || range.end > windowEnd - guard) break;
    end += word.length;
    if (end === 0 || boundaries.has(end) || maySplitBehind(word)) count = index + 1;
  }
  return count;
}

/** Times may waver from window to window; what is final stays monotonic. */
function inOrder(words: readonly LiveWord[], from: number): LiveWord[] {
  let at = from;
  return words.map((word) => {
    const start = Math.max(word.range.start, at);
    at = Math.max(word.range.end, start);
    return { ...word, range: { start, end: at } };
  });
}
