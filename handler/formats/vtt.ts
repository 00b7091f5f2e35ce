import { type Cue, oneLine, type TimedText, timestamp } from './cue.ts';
import { unitsOf } from './text-units.ts';

/** WebVTT; speakers are voice spans. */
export const writeVtt = (cues: readonly Cue[]): string =>
  ['WEBVTT\n', ...cues.map((cue) => toBlock(cue, cue.lines.map(escapeText).join('\n')))].join('\n');

/** WebVTT in which a player can show each word as it is spoken: a time before every word. */
export const writeWordVtt = (segments: readonly TimedText[]): string =>
  ['WEBVTT\n', ...segments.filter(({ text }) => oneLine(text) !== '').map(toTimedBlock)].join('\n');

function toTimedBlock(segment: TimedText): string {
  const units = unitsOf(segment);
  const startMs = Math.max(0, Math.round(segment.start * 1000));
  const endMs = Math.max(Math.round(segment.end * 1000), startMs + 1);
  let lastMs = startMs;
  const text = units.map((unit) => {
    // A time must lie inside the cue and above the one before it.
    const isLater = unit.startMs > lastMs && unit.startMs < endMs;
    if (isLater) lastMs = unit.startMs;
    const [space, word] = /^(\s*)(.*)$/su.exec(unit.text)!.slice(1);
    return `${space}${isLater ? `<${timestamp(unit.startMs, '.')}>` : ''}${escapeText(word!)}`;
  });
  const { speaker } = segment;
  const cue = { startMs, endMs, ...(speaker !== undefined && { speaker: oneLine(speaker) }) };
  return toBlock(cue, text.join('').trim());
}

function toBlock(cue: Omit<Cue, 'lines'>, markup: string): string {
  const voice = cue.speaker === undefined ? '' : `<v ${escapeText(cue.speaker)}>`;
  return `${timestamp(cue.startMs, '.')} --> ${timestamp(cue.endMs, '.')}\n${voice}${markup}\n`;
}

/** `&` first; escaping `>` also takes the arrow out of the text. */
const escapeText = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
