import { attentionWords } from './alignment/attention-words.ts';
import type { TimedWord } from './alignment/timed-word.ts';
import type { Recognition, RecognizedToken, SpeechRecognizer } from './contracts.ts';
import { cutRecognition } from './cut-recognition.ts';

/** Text tokens between two times; samples from the window's start. */
export interface TokenSpan {
  readonly tokenIds: readonly number[];
  readonly logProbs: readonly number[];
  /** Empty unless word times were asked for. */
  readonly words: readonly TimedWord[];
  readonly start: number;
  readonly end: number;
}

/**
 * The text of one window cut at its timestamps as in OpenAI's decoder: ordered, never overlapping,
 * inside the window, nothing left out. Text behind the last timestamp lasts to the window's end, and
 * a window without timestamps is one span.
 */
export function tokenSpans(
  recognition: Recognition,
  windowSamples: number,
  recognizer: Pick<SpeechRecognizer, 'textOf'>,
): TokenSpan[] {
  const { attention, tokens } = recognition;
  const textOf = (ids: readonly number[]): string => recognizer.textOf(ids);
  const words = attention ? attentionWords(recognition, attention, textOf) : [];
  const spans = splitAtTimestamps(tokens, windowSamples);
  return fitInto(
    windowSamples,
    spans.map((span, run) => ({ ...span, words: words[run] ?? [] })),
  );
}

function splitAtTimestamps(
  tokens: readonly RecognizedToken[],
  windowSamples: number,
): Omit<TokenSpan, 'words'>[] {
  const spans: Omit<TokenSpan, 'words'>[] = [];
  let start = 0;
  let tokenIds: number[] = [];
  let logProbs: number[] = [];
  const closeAt = (end: number): void => {
    if (tokenIds.length > 0) spans.push({ tokenIds, logProbs, start, end });
    start = end;
    tokenIds = [];
    logProbs = [];
  };
  for (const token of tokens) {
    switch (token.kind) {
      case 'timestamp':
        closeAt(token.offsetSamples);
        break;
      case 'text':
        tokenIds.push(token.id);
        logProbs.push(token.logProb);
        break;
    }
  }
  closeAt(windowSamples);
  return spans;
}

/** Without text that begins behind the window's end: there was only padding to hear. The same object if none does. */
export function withoutPaddingText(recognition: Recognition, windowSamples: number): Recognition {
  const { tokens } = recognition;
  let latest = 0;
  const first = tokens.findIndex((token) => {
    if (token.kind === 'timestamp') latest = token.offsetSamples;
    return token.kind === 'text' && latest >= windowSamples;
  });
  return first === -1 ? recognition : cutRecognition(recognition, first);
}

/**
 * Moves spans into the window and behind one another. One that is left without length keeps its
 * words: they join the span before, and the first span of all is stretched over the window.
 */
function fitInto(windowSamples: number, spans: readonly TokenSpan[]): TokenSpan[] {
  const fitted: TokenSpan[] = [];
  for (const span of spans) {
    const previous = fitted.at(-1);
    const start = Math.max(span.start, previous?.end ?? 0);
    const end = Math.min(span.end, windowSamples);
    if (end > start) fitted.push({ ...span, start, end });
    else if (previous) fitted[fitted.length - 1] = join(previous, span);
    else fitted.push({ ...span, start: start < windowSamples ? start : 0, end: windowSamples });
  }
  return fitted;
}

const join = (previous: TokenSpan, span: TokenSpan): TokenSpan => ({
  ...previous,
  tokenIds: [...previous.tokenIds, ...span.tokenIds],
  logProbs: [...previous.logProbs, ...span.logProbs],
  words: [...previous.words, ...span.words],
});
