import { SttError } from '../core/errors.ts';
import type { SpeechRecognizer } from './contracts.ts';
import type { TranscribeOptions } from './options.ts';

/** ISO 639-2 and BCP 47 code of a recording in which no language was heard. */
export const UNDETERMINED_LANGUAGE = 'und';

export interface DetectedLanguage {
  readonly language: string;
  readonly languageProbability: number;
}

/**
 * The language that is settled before anything was heard: the given one, with probability 1, or the
 * only one that is asked for and that the model knows, with 0, since nobody said that it is spoken.
 * Null when it has to be detected.
 *
 * @throws {SttError} LANGUAGE_UNSUPPORTED when the loaded model cannot do what is asked.
 */
export function languageBeforeListening(
  {
    language,
    languages: candidates,
    task,
  }: Pick<TranscribeOptions, 'language' | 'languages' | 'task'>,
  { languages: known, modelName }: Pick<SpeechRecognizer, 'languages' | 'modelName'>,
): DetectedLanguage | null {
  const asked = language === null ? candidates : [language];
  const possible = asked.length === 0 ? known : known.filter((code) => asked.includes(code));
  const what = known.length === 1 ? `only ${known[0]}` : `${known.length} other languages`;
  const advice = 'set WHISPER_MODEL to a model that does, e.g. openai/whisper-large-v3';
  if (possible.length === 0) {
    throw new SttError(
      'LANGUAGE_UNSUPPORTED',
      `The loaded model ${modelName} does not know ${nameOf(asked)} but ${what}: ${advice}`,
    );
  }
  if (task === 'translate' && known.length === 1) {
    throw new SttError(
      'LANGUAGE_UNSUPPORTED',
      `The loaded model ${modelName} knows ${what} and cannot translate: ${advice}`,
    );
  }
  if (language !== null) return { language, languageProbability: 1 };
  return possible.length === 1 ? { language: possible[0]!, languageProbability: 0 } : null;
}

/** A language code may be repeated in a message, anything else a caller sent may not. */
const nameOf = (asked: readonly string[]): string =>
  asked.length === 1 && /^[a-z]{2,3}$/.test(asked[0]!)
    ? `the language ${asked[0]}`
    : `the requested language${asked.length === 1 ? '' : 's'}`;
