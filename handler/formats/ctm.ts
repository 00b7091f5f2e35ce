import type { TimedText } from './cue.ts';
import { fieldName, seconds } from './fields.ts';
import { type TextUnit, unitsOf } from './text-units.ts';

/** No shorter, where the segment has time for it: two decimals are usual in CTM. */
const MIN_WORD_MS = 10;

/** NIST's time-marked conversation file: recording, channel, start, duration, word, confidence. */
export function ctmLines(segment: TimedText, recording: string): string {
  const units = unitsOf(segment);
  const own = segment.words?.length === units.length ? segment.words : undefined;
  return withDurations(units, segment)
    .map(({ text, startMs, endMs }, index) => {
      const confidence = own?.[index]?.confidence ?? segment.confidence ?? 0;
      const times = `${seconds(startMs)} ${seconds(endMs - startMs)}`;
      return `${fieldName(recording)} 1 ${times} ${fieldName(text)} ${confidence.toFixed(3)}\n`;
    })
    .join('');
}

type Timed = Pick<TextUnit, 'text' | 'startMs' | 'endMs'>;

/** Words one after another, none without duration: what has none takes from those around it. */
function withDurations(units: readonly Timed[], { start, end }: TimedText): Timed[] {
  const lengthMs = Math.round((end - start) * 1000);
  const leastMs = Math.max(1, Math.min(MIN_WORD_MS, Math.floor(lengthMs / units.length)));
  let untilMs = Number.POSITIVE_INFINITY;
  const spread = units.toReversed().map((unit) => {
    const endMs = Math.min(unit.endMs, untilMs);
    untilMs = Math.min(unit.startMs, endMs - leastMs);
    return { text: unit.text, startMs: untilMs, endMs };
  });
  let fromMs = Math.max(0, Math.min(Math.round(start * 1000), units[0]?.startMs ?? 0));
  return spread.reverse().map((unit) => {
    const startMs = Math.max(unit.startMs, fromMs);
    fromMs = Math.max(unit.endMs, startMs + leastMs);
    return { ...unit, startMs, endMs: fromMs };
  });
}
