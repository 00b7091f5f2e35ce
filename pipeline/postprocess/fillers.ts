import { msToSamples } from '../../audio/time.ts';
import { type Piece, pauseBetween, splitPunctuation } from './pieces.ts';

interface Fillers {
  /** Never anything but hesitation. */
  readonly always: ReadonlySet<string>;
  /** Words that hesitate only when they stand apart, by a comma or a pause. */
  readonly apart: ReadonlySet<string>;
}

const FILLERS: Readonly<Record<string, Fillers>> = {
  ko: {
    always: new Set(['어', '음', '으음', '어어', '에', '으', '흠']),
    apart: new Set(['아', '그', '저', '저기', '뭐', '막', '이제', '인제', '그니까', '약간', '이']),
  },
  en: {
    always: new Set(['um', 'uh', 'er', 'erm', 'uhm', 'hmm', 'mm']),
    apart: new Set(['well', 'like', 'you know', 'i mean']),
  },
  ja: {
    always: new Set(['えー', 'えーと', 'ええと', 'あのー', 'うーん']),
    apart: new Set(['あの', 'その', 'まあ']),
  },
  zh: { always: new Set(['呃', '嗯', '額']), apart: new Set(['那个', '那個', '就是']) },
};

/** Silence that sets a word apart where no punctuation does. */
const PAUSE_SAMPLES = msToSamples(250);
const SETS_APART = /[,.…、，。]$/u;

/** Without hesitations; a mark that ended a sentence moves to the word before. */
export function removeFillers(pieces: readonly Piece[], language: string): Piece[] {
  const fillers = FILLERS[language];
  if (!fillers) return [...pieces];
  const kept: Piece[] = [];
  for (const [index, piece] of pieces.entries()) {
    const { core, mark } = splitPunctuation(piece.text);
    const isFiller =
      fillers.always.has(core.toLowerCase()) ||
      (fillers.apart.has(core.toLowerCase()) && standsApart(pieces, index));
    if (!isFiller) kept.push(piece);
    else closeSentence(kept, mark);
  }
  return kept;
}

function standsApart(pieces: readonly Piece[], index: number): boolean {
  const before = pieces[index - 1];
  const piece = pieces[index]!;
  const isAfterBreak =
    before === undefined ||
    SETS_APART.test(before.text) ||
    (pauseBetween(before, piece) ?? 0) >= PAUSE_SAMPLES;
  const isBeforeBreak =
    SETS_APART.test(piece.text) || (pauseBetween(piece, pieces[index + 1]) ?? 0) >= PAUSE_SAMPLES;
  return isAfterBreak && isBeforeBreak;
}

function closeSentence(kept: Piece[], mark: string): void {
  const last = kept.at(-1);
  if (!last || !/[.!?。！？]/u.test(mark)) return;
  const { core } = splitPunctuation(last.text);
  kept[kept.length - 1] = { ...last, text: core + mark };
}
