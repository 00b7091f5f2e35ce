import { msToSamples } from '../../audio/time.ts';
import type { Segment, Word } from '../contracts.ts';
import { endsSentence } from '../sentence-ends.ts';
import { koreanSentenceEnd } from './korean/sentence-ends.ts';
import { type Piece, pauseBetween, splitPunctuation, toPieces, withPieces } from './pieces.ts';

/** Silence behind a Korean ending that makes it the end of a sentence. */
const PAUSE_SAMPLES = msToSamples(400);

/** Sentences of a segment as segments of their own; one without words stays whole. */
export function splitSentences(segment: Segment, language: string): Segment[] {
  const pieces = toPieces(segment);
  if (pieces.some(({ words }) => words.length === 0)) return [segment];
  const sentences = sentencesOf(pieces, language);
  if (sentences.length === 1) return [segment];
  return sentences.map((sentence, index) => {
    const words = sentence.flatMap((piece) => piece.words);
    const range = {
      start: index === 0 ? segment.range.start : words[0]!.range.start,
      end: index === sentences.length - 1 ? segment.range.end : words.at(-1)!.range.end,
    };
    const confidence = meanConfidence(words);
    return { ...withPieces(segment, sentence), range, confidence };
  });
}

function sentencesOf(pieces: readonly Piece[], language: string): Piece[][] {
  const sentences: Piece[][] = [[]];
  for (const [index, piece] of pieces.entries()) {
    const sentence = sentences.at(-1)!;
    sentence.push(piece);
    const next = pieces[index + 1];
    if (next && isEnd(piece, next, { isFirst: sentence.length === 1, language }))
      sentences.push([]);
  }
  return sentences;
}

function isEnd(
  piece: Piece,
  next: Piece,
  { isFirst, language }: { readonly isFirst: boolean; readonly language: string },
): boolean {
  if (!(next.spaceBefore || /^(ja|zh|yue)$/.test(language))) return false;
  if (endsSentence({ word: piece.text, next: next.text, isFirst, language })) return true;
  return language === 'ko' && endsKoreanSentence(piece, next);
}

function endsKoreanSentence(piece: Piece, next: Piece | undefined): boolean {
  const { core, mark } = splitPunctuation(piece.text);
  const pause = next === undefined ? PAUSE_SAMPLES : pauseBetween(piece, next);
  return mark === '' && koreanSentenceEnd(core) !== undefined && (pause ?? 0) >= PAUSE_SAMPLES;
}

/** Adds the full stop or question mark that a Korean sentence was left without. */
export const punctuateKorean = (pieces: readonly Piece[]): Piece[] =>
  pieces.map((piece, index) => {
    if (!endsKoreanSentence(piece, pieces[index + 1])) return piece;
    const mark = koreanSentenceEnd(piece.text) === 'question' ? '?' : '.';
    return { ...piece, text: piece.text + mark };
  });

const meanConfidence = (words: readonly Word[]): number =>
  words.reduce((sum, { confidence }) => sum + confidence, 0) / words.length;
