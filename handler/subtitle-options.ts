import { z } from 'zod';
import type { DocumentOptions } from './formats/format-segments.ts';
import { DEFAULT_SUBTITLE_LAYOUT } from './formats/subtitle-layout.ts';

const number = (least: number, most: number) => z.number().min(least).max(most).nullish();
const flag = z.boolean().nullish();

/** `subtitle`: how srt and vtt are laid out. */
export const SubtitleInput = z
  .strictObject({
    max_line_width: number(8, 200),
    max_lines: z.number().int().min(1).max(10).nullish(),
    min_cue_sec: number(0, 10),
    max_cue_sec: number(0.5, 60),
    max_reading_speed: number(1, 100),
    word_cues: flag,
    speaker_labels: flag,
  })
  .refine(
    ({ min_cue_sec, max_cue_sec }) =>
      (min_cue_sec ?? 0) <= (max_cue_sec ?? DEFAULT_SUBTITLE_LAYOUT.maxCueSec),
    {
      path: ['min_cue_sec'],
      message: `must not be above max_cue_sec (${DEFAULT_SUBTITLE_LAYOUT.maxCueSec} unless set)`,
    },
  );

/** What was left out is as broadcasters do it. */
export function toDocumentOptions(
  subtitle: z.output<typeof SubtitleInput> | null,
  recording: string | null,
): Partial<DocumentOptions> {
  const defaults = DEFAULT_SUBTITLE_LAYOUT;
  return {
    ...(recording !== null && { recording }),
    wordCues: subtitle?.word_cues ?? false,
    speakerLabels: subtitle?.speaker_labels ?? true,
    layout: {
      maxLineWidth: subtitle?.max_line_width ?? defaults.maxLineWidth,
      maxLines: subtitle?.max_lines ?? defaults.maxLines,
      minCueSec: subtitle?.min_cue_sec ?? defaults.minCueSec,
      maxCueSec: subtitle?.max_cue_sec ?? defaults.maxCueSec,
      maxReadingSpeed: subtitle?.max_reading_speed ?? defaults.maxReadingSpeed,
    },
  };
}
