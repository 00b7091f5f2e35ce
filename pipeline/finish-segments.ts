import type { WriteChinese } from './chinese-script.ts';
import type { Segment } from './contracts.ts';
import { assignSpeakers } from './diarization/assign-speakers.ts';
import type { SpeakerTurn } from './diarization/options.ts';
import { type PostprocessOptions, postprocess } from './postprocess/postprocess.ts';

export interface FinishOptions {
  /** The one that all text is written in, where it is known; else each segment's own. */
  readonly writtenLanguage: string | null;
  /** Of segments without a language of their own. */
  readonly spokenLanguage: string;
  readonly postprocess: PostprocessOptions;
  readonly writeChinese: WriteChinese;
}

/**
 * Segments as they are answered: with speakers, split where these change, and each repaired by the
 * rules of the language that it is written in.
 */
export const finishSegments = (
  segments: readonly Segment[],
  exclusiveTurns: readonly SpeakerTurn[],
  { writtenLanguage, spokenLanguage, postprocess: options, writeChinese }: FinishOptions,
): Segment[] =>
  assignSpeakers(segments, { exclusiveTurns }).flatMap((segment) => {
    const language = writtenLanguage ?? segment.language ?? spokenLanguage;
    return postprocess([writeChinese(segment, language)], language, options);
  });
