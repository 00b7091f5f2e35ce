import { type Cue, oneLine, type TimedText } from './cue.ts';
import { type TextUnit, unitsOf, widthOf } from './text-units.ts';

/** How segments become cues that a viewer can follow. */
export interface SubtitleLayout {
  /** Columns of a line; East Asian wide characters take two. */
  readonly maxLineWidth: number;
  readonly maxLines: number;
  readonly maxCueSec: number;
  /** A cue stays at least this long, where the next one leaves room. */
  readonly minCueSec: number;
  /** Columns a second; a faster cue stays longer, where the next one leaves room. */
  readonly maxReadingSpeed: number;
}

/** Two lines of 42 columns for at most 7 s, read at 20 columns a second: common broadcast limits. */
export const DEFAULT_SUBTITLE_LAYOUT: SubtitleLayout = {
  maxLineWidth: 42,
  maxLines: 2,
  maxCueSec: 7,
  minCueSec: 0.8,
  maxReadingSpeed: 20,
};

/** With the columns that the first line of a cue does not have. */
interface Room extends SubtitleLayout {
  readonly labelWidth: number;
}

const ENDS_CLAUSE = /[.,!?;:…。、，！？；：]["'”’」』)\]]*$/u;

/**
 * Cues in time order that together hold all text of the segments. A cue never mixes segments, so
 * neither speakers; a word wider than a line stands on a line of its own. The first line of a cue
 * leaves room for the label that will stand before it.
 */
export function layOutSubtitles(
  segments: readonly TimedText[],
  layout: SubtitleLayout,
  labelOf: (segment: TimedText) => string = () => '',
): Cue[] {
  const cues = segments.flatMap((segment) => {
    const room: Room = { ...layout, labelWidth: widthOf(labelOf(segment)) };
    return splitUnits(unitsOf(segment), room).map((units) => toCue(units, segment, room));
  });
  return cues.map((cue, index) => extended(cue, cues[index + 1], layout));
}

/** Fills cue by cue; a full one is cut behind its last clause if that leaves it half full. */
function splitUnits(units: readonly TextUnit[], room: Room): TextUnit[][] {
  const cues: TextUnit[][] = [];
  let current: TextUnit[] = [];
  for (const unit of units) {
    if (current.length > 0 && !fits([...current, unit], room)) {
      const cut = cutBehindClause(current);
      cues.push(current.slice(0, cut));
      current = current.slice(cut);
    }
    current.push(unit);
  }
  return current.length > 0 ? [...cues, current] : cues;
}

function fits(units: readonly TextUnit[], room: Room): boolean {
  const lastsMs = units.at(-1)!.endMs - units[0]!.startMs;
  const lines = fillLines(units, room.maxLineWidth, room.labelWidth);
  return lastsMs <= room.maxCueSec * 1000 && lines.length <= room.maxLines;
}

/** How many units stay: up to the last clause in the second half, else all. */
function cutBehindClause(units: readonly TextUnit[]): number {
  for (let count = units.length; count * 2 > units.length; count--) {
    if (ENDS_CLAUSE.test(units[count - 1]!.text)) return count;
  }
  return units.length;
}

function toCue(units: readonly TextUnit[], { speaker }: TimedText, room: Room): Cue {
  const startMs = Math.max(0, units[0]!.startMs);
  return {
    startMs,
    endMs: Math.max(units.at(-1)!.endMs, startMs + 1),
    lines: balancedLines(units, room),
    ...(speaker !== undefined && { speaker: oneLine(speaker) }),
  };
}

/** No more lines than filling needs, and the narrowest block of that many. */
function balancedLines(units: readonly TextUnit[], { maxLineWidth, labelWidth }: Room): string[] {
  const lines = fillLines(units, maxLineWidth, labelWidth);
  const total = labelWidth + widthOf(lines.join(''));
  for (let width = Math.ceil(total / lines.length); width < maxLineWidth; width++) {
    const narrower = fillLines(units, width, labelWidth);
    if (narrower.length === lines.length) return narrower;
  }
  return lines;
}

function fillLines(units: readonly TextUnit[], maxWidth: number, labelWidth: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const { text } of units) {
    const label = lines.length === 0 ? labelWidth : 0;
    if (line !== '' && label + widthOf(line + text) > maxWidth) {
      lines.push(line);
      line = '';
    }
    line = line === '' ? text.trim() : line + text;
  }
  return line === '' ? lines : [...lines, line];
}

/** Stays until it can be read, but never into the next cue. */
function extended(cue: Cue, next: Cue | undefined, layout: SubtitleLayout): Cue {
  const width = cue.lines.reduce((sum, line) => sum + widthOf(line), 0);
  const neededMs = Math.max(layout.minCueSec, width / layout.maxReadingSpeed) * 1000;
  const limitMs = Math.min(cue.startMs + layout.maxCueSec * 1000, next?.startMs ?? Infinity);
  const wantedMs = Math.min(cue.startMs + Math.round(neededMs), limitMs);
  return { ...cue, endMs: Math.max(cue.endMs, wantedMs) };
}
