import { placeWords } from './alignment/place-words.ts';
import type { Segment, SpeechRecognizer } from './contracts.ts';
import type { Attempt } from './quality.ts';
import { splitAtCuts } from './split-at-cuts.ts';
import { toRecording, toRecordingRange, type WindowPieces, windowSamplesOf } from './time-map.ts';
import { type TokenSpan, tokenSpans } from './token-spans.ts';

/**
 * The segments of one window, with times of the recording: ordered, never overlapping, inside the
 * window's pieces, never empty. Where words were timed, a segment's text is its words joined, and a
 * segment that goes over silence which was taken out of the window is split there.
 */
export function toSegments(
  attempt: Attempt,
  pieces: WindowPieces,
  recognizer: Pick<SpeechRecognizer, 'textOf'>,
): Segment[] {
  const { avgLogProb, noSpeechProb } = attempt.recognition;
  const { compressionRatio, temperature } = attempt;
  return tokenSpans(attempt.recognition, windowSamplesOf(pieces), recognizer)
    .flatMap((span) =>
      placeSpan(span, pieces, recognizer).map((placed) => ({
        ...placed,
        confidence: Math.min(1, Math.exp(meanOf(span.logProbs))),
        avgLogProb,
        noSpeechProb,
        compressionRatio,
        temperature,
      })),
    )
    .filter(({ text }) => text !== '');
}

const meanOf = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

function placeSpan(
  span: TokenSpan,
  pieces: WindowPieces,
  recognizer: Pick<SpeechRecognizer, 'textOf'>,
): Pick<Segment, 'text' | 'range' | 'words'>[] {
  const range = toRecordingRange(pieces, span);
  const spoken = span.words.filter(({ text }) => text.trim() !== '');
  const words = placeWords(spoken, range, (sample) => toRecording(pieces, sample));
  if (words.length === 0) {
    return [{ text: recognizer.textOf(span.tokenIds).trim(), range, words }];
  }
  return splitAtCuts(words, range, pieces).map(({ range: part, from, to }) => ({
    text: spoken
      .slice(from, to)
      .map(({ text }) => text)
      .join('')
      .trim(),
    range: part,
    words: words.slice(from, to),
  }));
}
