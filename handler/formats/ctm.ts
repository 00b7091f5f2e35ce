import type { TimedText } from './cue.ts';
import { fieldName, seconds } from './fields.ts';
import { unitsOf } from './text-units.ts';

/** NIST's time-marked conversation file: recording, channel, start, duration, word, confidence. */
export const writeCtm = (segments: readonly TimedText[], recording: string): string =>
  segments
    .flatMap((segment) => {
      const units = unitsOf(segment);
      const own = segment.words?.length === units.length ? segment.words : undefined;
      return units.map((unit, index) => {
        const confidence = own?.[index]?.confidence ?? segment.confidence ?? 0;
        const times = `${seconds(unit.startMs)} ${seconds(unit.endMs - unit.startMs)}`;
        return `${fieldName(recording)} 1 ${times} ${fieldName(unit.text)} ${confidence.toFixed(3)}\n`;
      });
    })
    .join('');
