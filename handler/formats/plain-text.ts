import type { Cue } from './cue.ts';

/** One line per cue. */
export const writePlainText = (cues: readonly Cue[]): string =>
  cues.map(({ text }) => `${text}\n`).join('');
