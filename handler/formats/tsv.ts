import { type Cue, withSpeaker } from './cue.ts';

export const TSV_HEADER = 'start\tend\ttext\n';

/** Tab-separated columns with integer milliseconds, as Whisper writes them. */
export const tsvRow = (cue: Cue): string =>
  `${cue.startMs}\t${cue.endMs}\t${withSpeaker(cue, ' ')}\n`;
