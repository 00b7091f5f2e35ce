import { type Cue, timestamp, withSpeaker } from './cue.ts';

/** A cue of SubRip, the first with index 0. */
export function srtCue(cue: Cue, index: number): string {
  const times = `${timestamp(cue.startMs, ',')} --> ${timestamp(cue.endMs, ',')}`;
  const text = withoutArrow(withSpeaker(cue, '\n'));
  return `${index > 0 ? '\n' : ''}${index + 1}\n${times}\n${text}\n`;
}

/** SubRip knows no escape, and many readers take a line with an arrow for a time; as Whisper does. */
const withoutArrow = (text: string): string => text.replaceAll('-->', '->');
