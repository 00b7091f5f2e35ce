import { SAMPLE_RATE_HZ } from '../../audio/time.ts';
import type { RecognitionRequest } from '../../pipeline/contracts.ts';
import type { WhisperCheckpoint } from './checkpoint.ts';

/** Stands before a prompt that is shorter than the batch's longest. */
export const PADDING = -2;
/** Stands where the language is to be detected. */
export const DETECT_LANGUAGE = -1;
/**
 * A start of transcript in front of a prompt, which sees only itself and is seen by nothing: what
 * language is heard must not depend on the prompt's.
 */
export const LANGUAGE_QUERY = -3;

/** The fastest speech there is, 10 syllables a second, in a script of 3 tokens a syllable. */
const MAX_TOKENS_PER_SEC = 30;
/** For timestamps, punctuation and sounds at the edge of a short window. */
const SPARE_TOKENS = 24;

/** openai-whisper's `sample_len`: half of the decoder's positions. */
export const maxNewTokens = (checkpoint: Pick<WhisperCheckpoint, 'maxTokens'>): number =>
  checkpoint.maxTokens >> 1;
/** Previous text that fits before the start of transcript, as openai-whisper. */
const maxPromptTokens = (checkpoint: Pick<WhisperCheckpoint, 'maxTokens'>): number =>
  (checkpoint.maxTokens >> 1) - 1;

/** What a row says to the decoder before its first token. */
export interface RowPrompt {
  /** Up to start of transcript; English-only models: everything. */
  readonly prompt: readonly number[];
  /** After start of transcript. Empty if English-only. */
  readonly task: readonly number[];
  readonly startIndex: number;
}

/** The text before a window, as far as the decoder can hold it. */
interface FittedText {
  readonly ids: readonly number[];
  /** Of the given text: what did not fit. */
  readonly droppedCount: number;
}

/**
 * What is given has the first right to the room and stands first; of what was said before the end
 * that fits follows. Of a given text that is too long the end is kept: it stands nearest to the speech.
 */
export function fittedText(
  checkpoint: Pick<WhisperCheckpoint, 'maxTokens'>,
  given: readonly number[],
  said: readonly number[],
): FittedText {
  const room = maxPromptTokens(checkpoint);
  const droppedCount = Math.max(0, given.length - room);
  const left = room - (given.length - droppedCount);
  const ids = [...given.slice(droppedCount), ...said.slice(Math.max(0, said.length - left))];
  return { ids, droppedCount };
}

/** @param previous ids of the text before the window, as `fittedText` gives them. */
export function rowPrompt(
  checkpoint: WhisperCheckpoint,
  request: Pick<RecognitionRequest, 'language' | 'task' | 'timestamps'>,
  previous: readonly number[],
): RowPrompt {
  const { tokens } = checkpoint;
  const context = previous.length === 0 ? [] : [tokens.startOfPrevious, ...previous];
  const untimed = request.timestamps ? [] : [tokens.noTimestamps];
  if (!tokens.isMultilingual) {
    return {
      prompt: [...context, tokens.startOfTranscript, ...untimed],
      task: [],
      startIndex: context.length,
    };
  }
  const language =
    request.language === null
      ? DETECT_LANGUAGE
      : tokens.languagesStart + tokens.languages.indexOf(request.language);
  const task = request.task === 'translate' ? tokens.translate : tokens.transcribe;
  return {
    prompt: [...context, tokens.startOfTranscript],
    task: [language, task, ...untimed],
    startIndex: context.length,
  };
}

/**
 * Most tokens that a row may say: openai-whisper's limit, the decoder's positions, and what can be
 * said in the window's time. Only windows under 7 s meet the last: it ends what is not speech.
 */
export function tokenLimit(
  checkpoint: WhisperCheckpoint,
  { prompt, task }: RowPrompt,
  samples: number,
): number {
  return Math.min(
    maxNewTokens(checkpoint),
    checkpoint.maxTokens - prompt.length - task.length,
    Math.ceil((samples / SAMPLE_RATE_HZ) * MAX_TOKENS_PER_SEC) + SPARE_TOKENS,
  );
}

/** The language is to be heard, and the start of transcript is not the first token. */
const needsQuery = ({ task, startIndex }: RowPrompt): boolean =>
  startIndex > 0 && task.includes(DETECT_LANGUAGE);

/** The prompts side by side, the short ones padded in front, behind their language's query. */
export function paddedPrompts(prompts: readonly RowPrompt[]) {
  const promptLength = Math.max(
    ...prompts.map((row) => row.prompt.length + Number(needsQuery(row))),
  );
  const taskLength = Math.max(...prompts.map(({ task }) => task.length));
  const padded = (ids: readonly number[], length: number): number[] => [
    ...Array<number>(length - ids.length).fill(PADDING),
    ...ids,
  ];
  const startIndices = prompts.map(
    ({ prompt, startIndex }) => startIndex + promptLength - prompt.length,
  );
  return {
    promptLength,
    taskLength,
    prompts: prompts.flatMap((row) =>
      needsQuery(row)
        ? [LANGUAGE_QUERY, ...padded(row.prompt, promptLength - 1)]
        : padded(row.prompt, promptLength),
    ),
    tasks: prompts.flatMap(({ task }) => padded(task, taskLength)),
    startIndices,
    /** Where the language is heard. */
    languageIndices: prompts.map((row, place) => (needsQuery(row) ? 0 : startIndices[place]!)),
    isPadded: prompts.some(
      ({ prompt, task }) => prompt.length < promptLength || task.length < taskLength,
    ),
  };
}
