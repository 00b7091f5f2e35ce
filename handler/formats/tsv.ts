import type { Cue } from './cue.ts';

/** Tab-separated columns with integer milliseconds, as Whisper writes them. */
export const writeTsv = (cues: readonly Cue[]): string =>
  ['start\tend\ttext\n', ...cues.map(toRow)].join('');

const toRow = ({ startMs, endMs, text }: Cue): string => `${startMs}\t${endMs}\t${text}\n`;
