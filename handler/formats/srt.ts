import { type Cue, timestamp } from './cue.ts';

/** SubRip. */
export const writeSrt = (cues: readonly Cue[]): string => cues.map(toBlock).join('\n');

const toBlock = ({ startMs, endMs, text }: Cue, index: number): string =>
  `${index + 1}\n${timestamp(startMs, ',')} --> ${timestamp(endMs, ',')}\n${withoutArrow(text)}\n`;

/** SubRip knows no escape, and many readers take a line with an arrow for a time; as Whisper does. */
const withoutArrow = (text: string): string => text.replaceAll('-->', '->');
