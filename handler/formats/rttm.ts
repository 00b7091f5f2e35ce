import { type TimedText, toCues } from './cue.ts';
import { fieldName, seconds } from './fields.ts';

/**
 * NIST's Rich Transcription Time Marked file: a line for each stretch of one speaker; segments of
 * one speaker that touch are one stretch. Segments without a speaker are left out.
 */
export const writeRttm = (segments: readonly TimedText[], recording: string): string =>
  stretchesOf(segments)
    .map(({ startMs, endMs, speaker }) => {
      const times = `${seconds(startMs)} ${seconds(endMs - startMs)}`;
      return `SPEAKER ${fieldName(recording)} 1 ${times} <NA> <NA> ${fieldName(speaker)} <NA> <NA>\n`;
    })
    .join('');

interface Stretch {
  readonly startMs: number;
  readonly endMs: number;
  readonly speaker: string;
}

function stretchesOf(segments: readonly TimedText[]): Stretch[] {
  const stretches: Stretch[] = [];
  for (const { startMs, endMs, speaker } of toCues(segments)) {
    if (speaker === undefined) continue;
    const last = stretches.at(-1);
    if (last?.speaker === speaker && last.endMs >= startMs) {
      stretches[stretches.length - 1] = { ...last, endMs: Math.max(last.endMs, endMs) };
    } else stretches.push({ startMs, endMs, speaker });
  }
  return stretches;
}
