import { attentionWords } from '../alignment/attention-words.ts';
import { placeWords } from '../alignment/place-words.ts';
import type { Recognition, Scheduling, SpeechRecognizer } from '../contracts.ts';
import { isSilencePhrase } from '../hallucinations.ts';
import { DEFAULT_TRANSCRIBE_OPTIONS } from '../options.ts';
import {
  type Attempt,
  bestAttempt,
  compressionRatio,
  isSilence,
  needsFallback,
} from '../quality.ts';
import type { LiveWord } from './agreement.ts';
import { comparable } from './comparable-text.ts';
import type { WindowResult } from './session-state.ts';

/** One window of a live session with its samples. */
export interface LiveWindow {
  readonly waveform: Float32Array<ArrayBuffer>;
  /** Place of its first sample in the session. */
  readonly start: number;
  /** Null: to be detected. */
  readonly language: string | null;
  /** Codes that the detection chooses from; none: all that the model knows. */
  readonly languages?: readonly string[];
  /** What was said before it. */
  readonly prompt: string;
  /** What it says becomes final: worth further attempts. */
  readonly isLast: boolean;
  /** Whether its voice is wanted too. */
  readonly diarize?: boolean;
  readonly scheduling: Scheduling;
}

/** A window that is heard again anyway gets one attempt. */
const TEMPERATURES = [0];
const LAST_TEMPERATURES = [0, 0.4, 0.8];
/** OpenAI's rule: above it what was said before may be what misleads. */
const MAX_PROMPTED_TEMPERATURE = 0.5;

/**
 * The words of a window with their times in the session, by the checks that files have: nothing where
 * the recogniser doubts that it heard speech, nor a phrase that it writes over silence, nor, in a
 * window that is heard again, a text that repeats itself.
 */
export async function recognizeWindow(
  window: LiveWindow,
  recognizer: SpeechRecognizer,
  signal: AbortSignal,
): Promise<WindowResult> {
  const attempts = await attemptAll(window, recognizer, signal);
  const last = attempts.at(-1)!;
  const isPoor = needsFallback(last, DEFAULT_TRANSCRIBE_OPTIONS);
  const chosen = isPoor ? bestAttempt(attempts, DEFAULT_TRANSCRIBE_OPTIONS) : last;
  const { language, languageProbability } = attempts[0].recognition;
  const words = isNothing(chosen, window) ? [] : wordsOf(chosen.recognition, window, recognizer);
  return { words, language, languageProbability };
}

async function attemptAll(
  window: LiveWindow,
  recognizer: SpeechRecognizer,
  signal: AbortSignal,
): Promise<[Attempt, ...Attempt[]]> {
  const { waveform, languages = [], isLast, scheduling } = window;
  const attempt = async (temperature: number, language: string | null): Promise<Attempt> => {
    const isPrompted = window.prompt !== '' && temperature <= MAX_PROMPTED_TEMPERATURE;
    const prompt = isPrompted ? window.prompt : null;
    const kind = { task: 'transcribe', timestamps: true, attention: true } as const;
    const request = {
      ...{ ...kind, waveform, language, languages, temperature, prompt, scheduling },
      shortContext: !isLast, // What it says last has all the care there is.
    };
    return toAttempt(await recognizer.recognize(request, signal), temperature, recognizer);
  };
  const [first = 0, ...others] = isLast ? LAST_TEMPERATURES : TEMPERATURES;
  const attempts: [Attempt, ...Attempt[]] = [await attempt(first, window.language)];
  for (const temperature of others) {
    if (!needsFallback(attempts.at(-1)!, DEFAULT_TRANSCRIBE_OPTIONS)) break;
    attempts.push(await attempt(temperature, attempts[0].recognition.language));
  }
  return attempts;
}

function toAttempt(
  recognition: Recognition,
  temperature: number,
  recognizer: Pick<SpeechRecognizer, 'textOf'>,
): Attempt {
  const tokenIds = recognition.tokens.flatMap((token) => (token.kind === 'text' ? token.id : []));
  const text = recognizer.textOf(tokenIds).trim();
  return { recognition, text, temperature, compressionRatio: compressionRatio(text) };
}

function isNothing({ recognition, text, compressionRatio: ratio }: Attempt, window: LiveWindow) {
  const { noSpeechThreshold, compressionRatioThreshold } = DEFAULT_TRANSCRIBE_OPTIONS;
  if (isSilence(recognition, DEFAULT_TRANSCRIBE_OPTIONS)) return true;
  if (comparable(text) === '') return true; // Punctuation alone is written over silence too.
  if (recognition.noSpeechProb > noSpeechThreshold && isSilencePhrase(text)) return true;
  return !window.isLast && (ratio > compressionRatioThreshold || recognition.stoppedBy === 'loop');
}

function wordsOf(
  recognition: Recognition,
  { start, waveform }: LiveWindow,
  recognizer: Pick<SpeechRecognizer, 'textOf'>,
): readonly LiveWord[] {
  if (recognition.attention === undefined) return [];
  const textOf = (tokenIds: readonly number[]): string => recognizer.textOf(tokenIds);
  const timed = attentionWords(recognition, recognition.attention, textOf).flat();
  const spoken = timed.filter(({ text }) => text.trim() !== '');
  const range = { start, end: start + waveform.length };
  const placed = placeWords(spoken, range, (sample) => start + sample);
  return placed.map(({ range: place, confidence }, index) => ({
    text: spoken[index]!.text,
    range: place,
    confidence,
  }));
}
