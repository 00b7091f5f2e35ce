import { type Cue, timestamp, withSpeaker } from './cue.ts';

/** SubRip. */
export const writeSrt = (cues: readonly Cue[]): string => cues.map(toBlock).join('\n');

function toBlock(cue: Cue, index: number): string {
  const times = `${timestamp(cue.startMs, ',')} --> ${timestamp(cue.endMs, ',')}`;
  return `${index + 1}\n${times}\n${withoutArrow(withSpeaker(cue, '\n'))}\n`;
}

/** SubRip knows no escape, and many readers take a line with an arrow for a time; as Whisper does. */
const withoutArrow = (text: string): string => text.replaceAll('-->', '->');
