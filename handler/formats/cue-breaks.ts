import type { LineRoom } from './line-breaks.ts';
import type { TextUnit } from './text-units.ts';

/** What a cue may hold, and what it should. */
export interface CueLimits extends LineRoom {
  readonly maxLines: number;
  readonly maxCueMs: number;
  readonly minCueMs: number;
  /** Columns a millisecond. */
  readonly maxSpeed: number;
}

/** Units that follow one another without a long pause, said by one person. */
export interface Stretch {
  readonly units: readonly TextUnit[];
  /** For each unit, whether a segment begins with it. */
  readonly starts: readonly boolean[];
  /** When the next stretch begins. */
  readonly nextStartMs: number;
}

/**
 * What a break or a cue costs: cues shall end where a segment, a sentence or a clause does, be read in
 * their time, and, where a segment is cut, be about equally full; none of them may be one word alone.
 */
const COST = {
  cue: 2,
  insideClause: 3,
  behindClause: 1,
  behindSentence: 0.5,
  /** A segment that begins inside a cue. */
  joined: 1.5,
  /** A millisecond that is missing to read a cue. */
  unread: 4 / 1000,
  /** A cue of a cut segment that is empty, as the square of how empty it is. */
  empty: 3,
} as const;

const ENDS_SENTENCE = /[.!?…。！？]["'”’」』)\]]*$/u;
const ENDS_CLAUSE = /[,;:、，；：]["'”’」』)\]]*$/u;
/** Words of a minute, the longest cue that there is; more would only take time. */
const MOST_UNITS = 180;

/** Where the cues of a stretch begin, the first at 0: those that cost least, in linear time. */
export function cueStarts(stretch: Stretch, limits: CueLimits): number[] {
  const { length } = stretch.units;
  const paths: Paths = {
    costs: new Float64Array(length + 1).fill(Infinity),
    origins: new Int32Array(length + 1),
    breaks: Float64Array.from(stretch.units, (unit, index) =>
      index === length - 1 ? 0 : breakCost(unit, stretch.starts[index + 1] === true),
    ),
  };
  paths.costs[0] = 0;
  for (let from = 0; from < length; from++) addCues(stretch, from, limits, paths);
  const starts: number[] = [];
  for (let at = length; at > 0; at = paths.origins[at]!) starts.push(paths.origins[at]!);
  return starts.reverse();
}

/** The cheapest way to each unit, and where its last cue begins. */
interface Paths {
  readonly costs: Float64Array;
  readonly origins: Int32Array;
  /** What a break behind each unit costs. */
  readonly breaks: Float64Array;
}

function breakCost({ text }: TextUnit, isSegmentEnd: boolean): number {
  if (isSegmentEnd) return 0;
  if (ENDS_SENTENCE.test(text)) return COST.behindSentence;
  return ENDS_CLAUSE.test(text) ? COST.behindClause : COST.insideClause;
}

/** All cues that may begin with the unit `from`. Fills lines as `filled` does, without objects. */
function addCues(stretch: Stretch, from: number, limits: CueLimits, paths: Paths): void {
  const { units, starts } = stretch;
  const { startMs } = units[from]!;
  const until = Math.min(units.length, from + MOST_UNITS);
  const capacity = Math.max(1, limits.maxLines * limits.maxLineWidth - limits.labelWidth);
  let [lines, lineWidth, width, joins] = [1, limits.labelWidth, 0, 0];
  for (let to = from + 1; to <= until; to++) {
    const unit = units[to - 1]!;
    const isFirst = to === from + 1;
    const space = unit.isSpaced && !isFirst ? 1 : 0;
    lineWidth += space + unit.width;
    if (lineWidth > limits.maxLineWidth && !isFirst) {
      lines += 1;
      lineWidth = unit.width;
    }
    if (!isFirst && (lines > limits.maxLines || unit.endMs - startMs > limits.maxCueMs)) return;
    width += space + unit.width;
    if (!isFirst && starts[to - 1] === true) joins += 1;
    const isCut = starts[from] !== true || (to < units.length && starts[to] !== true);
    const emptiness = isCut ? Math.max(0, 1 - width / capacity) : 0;
    const shownMs = Math.min(nextStart(stretch, to) - startMs, limits.maxCueMs);
    const neededMs = Math.max(limits.minCueMs, width / limits.maxSpeed);
    const cost =
      COST.cue +
      joins * COST.joined +
      Math.max(0, neededMs - shownMs) * COST.unread +
      emptiness * emptiness * COST.empty;
    const total = paths.costs[from]! + cost + paths.breaks[to - 1]!;
    if (total >= paths.costs[to]!) continue;
    paths.costs[to] = total;
    paths.origins[to] = from;
  }
}

const nextStart = ({ units, nextStartMs }: Stretch, to: number): number =>
  to < units.length ? units[to]!.startMs : nextStartMs;
