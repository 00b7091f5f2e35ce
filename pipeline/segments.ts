import type { SampleRange } from '../audio/time.ts';
import type { RecognizedToken, Segment, SpeechRecognizer } from './contracts.ts';
import type { Attempt } from './quality.ts';

/** Text tokens between two times; offsets in samples from the chunk's start. */
interface TokenSpan {
  readonly tokenIds: readonly number[];
  readonly logProbs: readonly number[];
  readonly start: number;
  readonly end: number;
}

/**
 * The segments of one chunk, with times of the recording: ordered, never overlapping, inside the
 * chunk, never empty. Timestamp tokens cut the text as in OpenAI's decoder; text behind the last
 * one lasts to the chunk's end, and a chunk without timestamps is one segment.
 */
export function toSegments(
  attempt: Attempt,
  chunk: SampleRange,
  recognizer: Pick<SpeechRecognizer, 'textOf'>,
): Segment[] {
  const { avgLogProb, noSpeechProb, tokens } = attempt.recognition;
  const { compressionRatio, temperature } = attempt;
  const chunkSamples = chunk.end - chunk.start;
  return fitInto(chunkSamples, splitAtTimestamps(tokens, chunkSamples))
    .map(({ tokenIds, logProbs, start, end }) => ({
      text: recognizer.textOf(tokenIds).trim(),
      range: { start: chunk.start + start, end: chunk.start + end },
      confidence: Math.min(1, Math.exp(meanOf(logProbs))),
      words: [],
      avgLogProb,
      noSpeechProb,
      compressionRatio,
      temperature,
    }))
    .filter(({ text }) => text !== '');
}

const meanOf = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

function splitAtTimestamps(tokens: readonly RecognizedToken[], chunkSamples: number): TokenSpan[] {
  const spans: TokenSpan[] = [];
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
  closeAt(chunkSamples);
  return spans;
}

/**
 * Moves spans into the chunk and behind one another. A span that starts behind the chunk's end
 * heard only padding and is dropped. One that is left without length keeps its words: they join
 * the span before, and the first span of all is stretched to the chunk's end.
 */
function fitInto(chunkSamples: number, spans: readonly TokenSpan[]): TokenSpan[] {
  const fitted: TokenSpan[] = [];
  for (const span of spans) {
    if (span.start >= chunkSamples) continue;
    const previous = fitted.at(-1);
    const start = Math.max(span.start, previous?.end ?? 0);
    const end = Math.min(span.end, chunkSamples);
    if (end > start) fitted.push({ ...span, start, end });
    else if (previous) fitted[fitted.length - 1] = join(previous, span);
    else fitted.push({ ...span, start, end: chunkSamples });
  }
  return fitted;
}

const join = (previous: TokenSpan, span: TokenSpan): TokenSpan => ({
  ...previous,
  tokenIds: [...previous.tokenIds, ...span.tokenIds],
  logProbs: [...previous.logProbs, ...span.logProbs],
});
