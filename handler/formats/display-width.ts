import { eastAsianWidth } from 'get-east-asian-width';

const COMBINING = /^\p{M}$/u;
const BASIC_PLANE = 0x1_0000;
/** One more than the columns, so that zero is unknown. */
const known = new Uint8Array(BASIC_PLANE);

/** Columns on a screen: East Asian wide characters count double, combining marks nothing. */
export function widthOf(text: string): number {
  let columns = 0;
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    if (unit >= 0x20 && unit < 0x7f) {
      columns += 1;
      continue;
    }
    const point = text.codePointAt(at)!;
    if (point >= BASIC_PLANE) at += 1;
    columns += columnsOf(point);
  }
  return columns;
}

function columnsOf(point: number): number {
  if (point >= BASIC_PLANE) return measured(point);
  if (known[point] === 0) known[point] = measured(point) + 1;
  return known[point]! - 1;
}

const measured = (point: number): number =>
  COMBINING.test(String.fromCodePoint(point)) ? 0 : eastAsianWidth(point);
