import { attentionWords } from './alignment/attention-words.ts';
import type { TimedWord } from './alignment/timed-word.ts';
import type { Recognition, RecognizedToken, SpeechRecognizer } from './contracts.ts';

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
 * inside the window. Text behind the last timestamp lasts to the window's end, and a window without
 * timestamps is one span.
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

/**
 * Moves spans into the window and behind one another. A span that starts behind the window's end
 * heard only padding and is dropped. One that is left without length keeps its words: they join
 * the span before, and the first span of all is stretched to the window's end.
 */
function fitInto(windowSamples: number, spans: readonly TokenSpan[]): TokenSpan[] {
  const fitted: TokenSpan[] = [];
  for (const span of spans) {
    if (span.start >= windowSamples) continue;
    const previous = fitted.at(-1);
    const start = Math.max(span.start, previous?.end ?? 0);
    const end = Math.min(span.end, windowSamples);
    if (end > start) fitted.push({ ...span, start, end });
    else if (previous) fitted[fitted.length - 1] = join(previous, span);
    else fitted.push({ ...span, start, end: windowSamples });
  }
  return fitted;
}

const join = (previous: TokenSpan, span: TokenSpan): TokenSpan => ({
  ...previous,
  tokenIds: [...previous.tokenIds, ...span.tokenIds],
  logProbs: [...previous.logProbs, ...span.logProbs],
  words: [...previous.words, ...span.words],
});
