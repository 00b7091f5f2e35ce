import type { LiveWord } from './agreement.ts';
import type { LiveEvent, Utterance } from './session-state.ts';

type Final = Extract<LiveEvent, { type: 'final' }>;

const middle = (start: number, end: number): number => (start + end) / 2;

/** The words of a window's last hearing, up to `end`, given to the utterances that it covers. */
export function settleUtterances(
  utterances: readonly Utterance[],
  words: readonly LiveWord[],
  { end, language }: { readonly end: number; readonly language: string | null },
): { readonly finals: readonly Final[]; readonly left: readonly Utterance[] } {
  const isDone = (utterance: Utterance): boolean => utterance.end !== null && utterance.end <= end;
  let rest = words;
  const finals: Final[] = [];
  for (const [index, utterance] of utterances.entries()) {
    if (utterance.start >= end) break;
    const next = utterances[index + 1];
    const isShared = next !== undefined && next.start < end;
    const until = isShared ? middle(utterance.end ?? next.start, next.start) : Infinity;
    // By their middles: the edges of words are less certain than where utterances end.
    const behind = rest.findIndex(({ range }) => middle(range.start, range.end) >= until);
    const own = behind < 0 ? rest : rest.slice(0, behind);
    rest = rest.slice(own.length);
    const endsUtterance = isDone(utterance);
    if (own.length === 0 && !endsUtterance) continue;
    finals.push({ type: 'final', utteranceId: utterance.id, words: own, endsUtterance, language });
  }
  return { finals, left: utterances.filter((utterance) => !isDone(utterance)) };
}
