import type { LiveWord } from './agreement.ts';
import type { LiveOptions, LiveState, WindowRequest, WindowResult } from './session-state.ts';

/** A detected language holds once it is certain, until utterances in a row speak against it. */
export function judgeLanguage(
  { isLanguageGiven, doubts }: LiveState,
  { isLast, language: asked }: WindowRequest,
  { finals, result }: { readonly finals: readonly LiveWord[]; readonly result: WindowResult },
  { languageThreshold, doubtThreshold, maxDoubts }: LiveOptions,
): Pick<LiveState, 'language' | 'doubts'> | null {
  if (isLanguageGiven) return null;
  if (asked === null) {
    const isSure = result.languageProbability >= languageThreshold;
    return isSure ? { language: result.language, doubts: 0 } : null;
  }
  if (!isLast || finals.length === 0) return null;
  const sum = finals.reduce((total, { confidence }) => total + confidence, 0);
  if (sum / finals.length >= doubtThreshold) return { language: asked, doubts: 0 };
  const isRefuted = doubts + 1 >= maxDoubts;
  return isRefuted ? { language: null, doubts: 0 } : { language: asked, doubts: doubts + 1 };
}
