import { type Cue, timestamp } from './cue.ts';

/** WebVTT. */
export const writeVtt = (cues: readonly Cue[]): string =>
  ['WEBVTT\n', ...cues.map(toBlock)].join('\n');

const toBlock = ({ startMs, endMs, text }: Cue): string =>
  `${timestamp(startMs, '.')} --> ${timestamp(endMs, '.')}\n${escapeText(text)}\n`;

/** `&` first; escaping `>` also takes the arrow out of the text. */
const escapeText = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
