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
 * The language that is certain before anything was heard: the given one, or the only one the
 * model knows. Null when it has to be detected.
 *
 * @throws {SttError} LANGUAGE_UNSUPPORTED when the loaded model cannot do what is asked.
 */
export function languageBeforeListening(
  { language, task }: Pick<TranscribeOptions, 'language' | 'task'>,
  { languages, modelName }: Pick<SpeechRecognizer, 'languages' | 'modelName'>,
): string | null {
  const [onlyLanguage, ...others] = languages;
  const isMonolingual = onlyLanguage !== undefined && others.length === 0;
  const advice = 'set WHISPER_MODEL to a model that does, e.g. openai/whisper-large-v3';
  if (language !== null && !languages.includes(language)) {
    const known = isMonolingual ? `only ${onlyLanguage}` : `${languages.length} other languages`;
    throw new SttError(
      'LANGUAGE_UNSUPPORTED',
      `The loaded model ${modelName} does not know ${nameOf(language)} but ${known}: ${advice}`,
    );
  }
  if (task === 'translate' && isMonolingual) {
    throw new SttError(
      'LANGUAGE_UNSUPPORTED',
      `The loaded model ${modelName} knows only ${onlyLanguage} and cannot translate: ${advice}`,
    );
  }
  return language ?? (isMonolingual ? onlyLanguage : null);
}

/** A language code may be repeated in a message, anything else a caller sent may not. */
const nameOf = (language: string): string =>
  /^[a-z]{2,3}$/.test(language) ? `the language ${language}` : 'the requested language';
