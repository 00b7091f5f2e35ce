import { type Cue, withSpeaker } from './cue.ts';

/** One line per cue. */
export const writePlainText = (cues: readonly Cue[]): string =>
  cues.map((cue) => `${withSpeaker(cue, ' ')}\n`).join('');
