import { type Cue, oneLine, type TimedText } from './cue.ts';
import { type CueLimits, cueStarts } from './cue-breaks.ts';
import { widthOf } from './display-width.ts';
import { balancedLines } from './line-breaks.ts';
import { lineText, type TextUnit, unitsOf } from './text-units.ts';

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

/** A cue whose words have their times. */
export interface LaidOutCue extends Omit<Cue, 'lines'> {
  readonly lines: readonly (readonly TextUnit[])[];
}

/** A pause that ends a cue: what follows it would be read before it is said. */
const PAUSE_MS = 1500;
/** Segments of one person that are this near may share a cue. */
const NEAR_MS = 500;

/** Of a stretch, until the next segment begins another. */
const MAX_UNITS = 1000;

/**
 * Cues in the order of the segments that together hold all of their text, a stretch of speech at a
 * time. A cue is of one person and without a long pause; short segments share one where each alone
 * could not be read. A word wider than a line stands on a line of its own. The first line of a cue
 * leaves room for the label that will stand before it. Null comes after each segment that has been looked
 * at, so that other work may go on.
 */
export function* layOutSubtitles(
  segments: Iterable<TimedText>,
  layout: SubtitleLayout,
  labelOf: (segment: TimedText) => string = () => '',
): Generator<LaidOutCue | null> {
  let previous: SpokenStretch | undefined;
  for (const stretch of stretchesOf(segments)) {
    if (stretch === null) {
      yield null;
      continue;
    }
    if (previous)
      yield* cuesOf(previous, layout, { labelOf, nextStartMs: stretch.units[0]!.startMs });
    previous = stretch;
  }
  if (previous) yield* cuesOf(previous, layout, { labelOf, nextStartMs: Infinity });
}

/** A cue with its lines as texts. */
export const withTextLines = (cue: LaidOutCue): Cue => ({ ...cue, lines: cue.lines.map(lineText) });

interface SpokenStretch {
  readonly segment: TimedText;
  readonly units: TextUnit[];
  readonly starts: boolean[];
}

/** Cut at long pauses, at changes of speaker, and where times go back. */
function* stretchesOf(segments: Iterable<TimedText>): Generator<SpokenStretch | null> {
  let current: SpokenStretch | undefined;
  for (const segment of segments) {
    for (const [index, unit] of unitsOf(segment).entries()) {
      const last = current?.units.at(-1);
      const isSame = index > 0 || current?.segment.speaker === segment.speaker;
      const gapMs = last ? unit.startMs - last.endMs : Infinity;
      const isNear = index > 0 ? gapMs < PAUSE_MS : gapMs < NEAR_MS && isShort(current);
      const goesOn = isSame && isNear && isLater(last, unit);
      if (current && goesOn) {
        current.units.push(index > 0 ? unit : { ...unit, isSpaced: isSpacedAfter(last!, unit) });
        current.starts.push(index === 0);
      } else {
        if (current) yield current;
        current = { segment, units: [unit], starts: [true] };
      }
    }
    yield null;
  }
  if (current) yield current;
}

/** Segments go into ever the same stretch only as long as it takes no time. */
const isShort = (stretch: SpokenStretch | undefined): boolean =>
  (stretch?.units.length ?? 0) < MAX_UNITS;

const isLater = (before: TextUnit | undefined, unit: TextUnit): boolean =>
  before === undefined || unit.startMs >= before.startMs;

const UNSPACED = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}。、！？」』）]/u;

/** Japanese and Chinese sentences follow one another without a space. */
const isSpacedAfter = (before: TextUnit, unit: TextUnit): boolean =>
  !(UNSPACED.test(before.text.at(-1)!) && UNSPACED.test(unit.text[0]!));

function* cuesOf(
  { segment, units, starts }: SpokenStretch,
  layout: SubtitleLayout,
  { labelOf, nextStartMs }: { labelOf: (segment: TimedText) => string; nextStartMs: number },
): Generator<LaidOutCue> {
  const limits = limitsOf(layout, widthOf(labelOf(segment)));
  const cuts = cueStarts({ units, starts, nextStartMs }, limits);
  const speaker = segment.speaker === undefined ? {} : { speaker: oneLine(segment.speaker) };
  for (const [index, from] of cuts.entries()) {
    const to = cuts[index + 1] ?? units.length;
    const said = units.slice(from, to);
    const times = timesOf(said, units[to]?.startMs ?? nextStartMs, limits);
    yield { ...times, lines: balancedLines(said, limits), ...speaker };
  }
}

const limitsOf = (layout: SubtitleLayout, labelWidth: number): CueLimits => ({
  maxLineWidth: layout.maxLineWidth,
  maxLines: layout.maxLines,
  labelWidth,
  maxCueMs: layout.maxCueSec * 1000,
  minCueMs: Math.min(layout.minCueSec, layout.maxCueSec) * 1000,
  maxSpeed: layout.maxReadingSpeed / 1000,
});

/** Until all is said, or longer until it can be read, but then never into the next cue. */
function timesOf(units: readonly TextUnit[], nextStartMs: number, limits: CueLimits) {
  const startMs = Math.max(0, units[0]!.startMs);
  const saidMs = units.reduce((end, unit) => Math.max(end, unit.endMs), startMs + 1);
  const width = units.reduce(
    (sum, unit, index) => sum + unit.width + Number(unit.isSpaced && index > 0),
    0,
  );
  const neededMs = Math.max(limits.minCueMs, width / limits.maxSpeed);
  const readMs = Math.min(startMs + Math.min(Math.round(neededMs), limits.maxCueMs), nextStartMs);
  return { startMs, endMs: Math.max(saidMs, readMs) };
}
