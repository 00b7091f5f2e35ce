/**
 * The pairing of rows with columns whose sum is largest: `result[row]` is its column, -1 for a row
 * that is left over. `gains` is `[rows][columns]`, any real numbers; every row or every column is
 * paired, whichever are fewer.
 *
 * The Hungarian method with potentials (Kuhn 1955, Munkres 1957), O(n³).
 */
export function optimalAssignment(gains: readonly (readonly number[])[]): number[] {
  const rows = gains.length;
  const columns = gains[0]?.length ?? 0;
  if (columns === 0) return gains.map(() => -1);
  if (rows > columns) return invert(optimalAssignment(transpose(gains)), rows);
  const rowOf = matchColumns(gains, rows, columns);
  const result = new Array<number>(rows).fill(-1);
  for (let column = 1; column <= columns; column++) {
    if (rowOf[column]! > 0) result[rowOf[column]! - 1] = column - 1;
  }
  return result;
}

/** Row of each column, both counted from 1, 0 for none; column 0 is where a new row waits. */
function matchColumns(
  gains: readonly (readonly number[])[],
  rows: number,
  columns: number,
): number[] {
  const rowPotential = new Array<number>(rows + 1).fill(0);
  const columnPotential = new Array<number>(columns + 1).fill(0);
  const rowOf = new Array<number>(columns + 1).fill(0);
  for (let newRow = 1; newRow <= rows; newRow++) {
    rowOf[0] = newRow;
    const slack = new Array<number>(columns + 1).fill(Number.POSITIVE_INFINITY);
    const cameFrom = new Array<number>(columns + 1).fill(0);
    const isVisited = new Array<boolean>(columns + 1).fill(false);
    let column = 0;
    while (rowOf[column] !== 0) {
      isVisited[column] = true;
      const row = rowOf[column]!;
      let next = 0;
      let step = Number.POSITIVE_INFINITY;
      for (let other = 1; other <= columns; other++) {
        if (isVisited[other]) continue;
        const cost = -gains[row - 1]![other - 1]! - rowPotential[row]! - columnPotential[other]!;
        if (cost < slack[other]!) {
          slack[other] = cost;
          cameFrom[other] = column;
        }
        if (slack[other]! < step) {
          step = slack[other]!;
          next = other;
        }
      }
      for (let other = 0; other <= columns; other++) {
        if (isVisited[other]) {
          rowPotential[rowOf[other]!]! += step;
          columnPotential[other]! -= step;
        } else slack[other]! -= step;
      }
      column = next;
    }
    while (column !== 0) {
      rowOf[column] = rowOf[cameFrom[column]!]!;
      column = cameFrom[column]!;
    }
  }
  return rowOf;
}

const transpose = (gains: readonly (readonly number[])[]): number[][] =>
  gains[0]!.map((_, column) => gains.map((row) => row[column]!));

function invert(columnOfRow: readonly number[], size: number): number[] {
  const inverse = new Array<number>(size).fill(-1);
  for (const [row, column] of columnOfRow.entries()) if (column >= 0) inverse[column] = row;
  return inverse;
}
