import { fieldName, seconds } from './fields.ts';

/** When someone speaks; seconds. */
export interface SpeakerStretch {
  readonly start: number;
  readonly end: number;
  readonly speaker?: string;
}

/**
 * NIST's Rich Transcription Time Marked file: a line for each stretch of one speaker; neighbours of
 * one speaker that touch are one stretch. Those without a speaker are left out.
 */
export const writeRttm = (stretches: readonly SpeakerStretch[], recording: string): string =>
  joined(stretches)
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

function joined(stretches: readonly SpeakerStretch[]): Stretch[] {
  const result: Stretch[] = [];
  for (const { start, end, speaker } of stretches) {
    const [startMs, endMs] = [Math.max(0, Math.round(start * 1000)), Math.round(end * 1000)];
    if (speaker === undefined || endMs <= startMs) continue;
    const last = result.at(-1);
    if (last?.speaker === speaker && last.endMs >= startMs) {
      result[result.length - 1] = { ...last, endMs: Math.max(last.endMs, endMs) };
    } else result.push({ startMs, endMs, speaker });
  }
  return result;
}
