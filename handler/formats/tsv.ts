import { type Cue, withSpeaker } from './cue.ts';

/** Tab-separated columns with integer milliseconds, as Whisper writes them. */
export const writeTsv = (cues: readonly Cue[]): string =>
  ['start\tend\ttext\n', ...cues.map(toRow)].join('');

const toRow = (cue: Cue): string => `${cue.startMs}\t${cue.endMs}\t${withSpeaker(cue, ' ')}\n`;
