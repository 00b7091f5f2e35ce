import { fieldName, seconds } from './fields.ts';

/** When someone speaks; seconds. */
export interface SpeakerStretch {
  readonly start: number;
  readonly end: number;
  readonly speaker?: string;
}

/**
 * Lines of NIST's Rich Transcription Time Marked file: one for each stretch of one speaker; neighbours
 * of one speaker that touch are one stretch. Those without a speaker are left out.
 */
export function* rttmLines(
  stretches: Iterable<SpeakerStretch>,
  recording: string,
): Generator<string> {
  for (const { startMs, endMs, speaker } of joined(stretches)) {
    const times = `${seconds(startMs)} ${seconds(endMs - startMs)}`;
    yield `SPEAKER ${fieldName(recording)} 1 ${times} <NA> <NA> ${fieldName(speaker)} <NA> <NA>\n`;
  }
}

interface Stretch {
  readonly startMs: number;
  readonly endMs: number;
  readonly speaker: string;
}

function* joined(stretches: Iterable<SpeakerStretch>): Generator<Stretch> {
  let last: Stretch | undefined;
  for (const { start, end, speaker } of stretches) {
    const [startMs, endMs] = [Math.max(0, Math.round(start * 1000)), Math.round(end * 1000)];
    if (speaker === undefined || endMs <= startMs) continue;
    if (last?.speaker === speaker && last.endMs >= startMs) {
      last = { ...last, endMs: Math.max(last.endMs, endMs) };
      continue;
    }
    if (last) yield last;
    last = { startMs, endMs, speaker };
  }
  if (last) yield last;
}
