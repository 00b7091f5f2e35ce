import type { TextUnit } from './text-units.ts';

/** Columns of lines, the first of which has a label before it. */
export interface LineRoom {
  readonly maxLineWidth: number;
  readonly labelWidth: number;
}

/** Lines as they fill one after another: what is on the last one, and how many there are. */
interface Filling {
  readonly lines: number;
  readonly width: number;
}

/** With one unit more; a unit wider than a line stands on a line of its own. */
function filled(before: Filling, unit: TextUnit, room: LineRoom): Filling {
  if (before.lines === 0) return { lines: 1, width: room.labelWidth + unit.width };
  const width = before.width + Number(unit.isSpaced) + unit.width;
  return width <= room.maxLineWidth
    ? { lines: before.lines, width }
    : { lines: before.lines + 1, width: unit.width };
}

const NO_LINES: Filling = { lines: 0, width: 0 };

/** No more lines than filling needs, and the narrowest block of that many. */
export function balancedLines(units: readonly TextUnit[], room: LineRoom): TextUnit[][] {
  const most = linesWithin(units, room);
  if (most === 1) return [[...units]];
  let [low, high] = [0, room.maxLineWidth];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (linesWithin(units, { ...room, maxLineWidth: middle }) <= most) high = middle;
    else low = middle + 1;
  }
  return brokenAt(units, { ...room, maxLineWidth: low });
}

const linesWithin = (units: readonly TextUnit[], room: LineRoom): number =>
  units.reduce((filling, unit) => filled(filling, unit, room), NO_LINES).lines;

function brokenAt(units: readonly TextUnit[], room: LineRoom): TextUnit[][] {
  const lines: TextUnit[][] = [];
  let filling = NO_LINES;
  for (const unit of units) {
    const next = filled(filling, unit, room);
    if (next.lines > filling.lines) lines.push([unit]);
    else lines.at(-1)!.push(unit);
    filling = next;
  }
  return lines;
}
