import { type Cue, withSpeaker } from './cue.ts';

/** A cue as a line. */
export const textLine = (cue: Cue): string => `${withSpeaker(cue, ' ')}\n`;
