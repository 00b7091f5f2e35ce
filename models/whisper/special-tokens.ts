import { WHISPER_LANGUAGES } from '../../core/languages.ts';

/** Ids of the tokens that steer Whisper; consecutive in every vocabulary that OpenAI published. */
export interface SpecialTokens {
  readonly endOfText: number;
  readonly startOfTranscript: number;
  /** Language tokens are `[languagesStart, languagesStart + languages.length)`. */
  readonly languagesStart: number;
  readonly languages: readonly string[];
  readonly translate: number;
  readonly transcribe: number;
  readonly startOfPrevious: number;
  readonly noSpeech: number;
  readonly noTimestamps: number;
  /** `<|0.00|>`; each following id is 20 ms later, up to the end of the vocabulary. */
  readonly timestampsStart: number;
  readonly isMultilingual: boolean;
}

const ENGLISH_VOCABULARY = 51_864;
const TEXT_TOKENS = { english: 50_256, multilingual: 50_257 };

/** Derives the ids from the vocabulary's size, as openai-whisper's tokenizer does. */
export function specialTokensOf(vocabularySize: number): SpecialTokens {
  const isMultilingual = vocabularySize > ENGLISH_VOCABULARY;
  const languageCount = vocabularySize - 51_765 - Number(isMultilingual);
  const endOfText = isMultilingual ? TEXT_TOKENS.multilingual : TEXT_TOKENS.english;
  const startOfTranscript = endOfText + 1;
  const languagesStart = startOfTranscript + 1;
  const translate = languagesStart + languageCount;
  return {
    endOfText,
    startOfTranscript,
    languagesStart,
    languages: isMultilingual ? WHISPER_LANGUAGES.slice(0, languageCount) : ['en'],
    translate,
    transcribe: translate + 1,
    startOfPrevious: translate + 3,
    noSpeech: translate + 4,
    noTimestamps: translate + 5,
    timestampsStart: translate + 6,
    isMultilingual,
  };
}
