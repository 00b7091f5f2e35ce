import { type Cue, timestamp } from './cue.ts';
import type { LaidOutCue } from './subtitle-layout.ts';
import type { TextUnit } from './text-units.ts';

export const VTT_HEADER = 'WEBVTT\n';

/** A cue of WebVTT; its speaker is a voice span. */
export const vttCue = (cue: Cue): string => toBlock(cue, cue.lines.map(escapeText).join('\n'));

/** With a time before every word, by which a player can show each as it is spoken. */
export function vttWordCue(cue: LaidOutCue): string {
  let lastMs = cue.startMs;
  const timed = (unit: TextUnit): string => {
    // A time must lie inside the cue and above the one before it.
    const isLater = unit.startMs > lastMs && unit.startMs < cue.endMs;
    if (isLater) lastMs = unit.startMs;
    return `${isLater ? `<${timestamp(unit.startMs, '.')}>` : ''}${escapeText(unit.text)}`;
  };
  const lines = cue.lines.map((units) =>
    units.map((unit, index) => (unit.isSpaced && index > 0 ? ' ' : '') + timed(unit)).join(''),
  );
  return toBlock(cue, lines.join('\n'));
}

function toBlock(cue: Omit<Cue, 'lines'>, markup: string): string {
  const voice = cue.speaker === undefined ? '' : `<v ${escapeText(cue.speaker)}>`;
  return `\n${timestamp(cue.startMs, '.')} --> ${timestamp(cue.endMs, '.')}\n${voice}${markup}\n`;
}

/** `&` first; escaping `>` also takes the arrow out of the text. */
const escapeText = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
