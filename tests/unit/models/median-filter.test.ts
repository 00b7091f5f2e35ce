import { expect, test } from 'vitest';
import { medianFilter } from '../../../models/whisper/median-filter.ts';
import { runGraph } from '../../golden/run-graph.ts';

const HEADS = 2;
const POSITIONS = 3;

/** Median of 7 with mirrored edges, by sorting. */
function slowly(row: readonly number[]): number[] {
  const at = (frame: number): number => {
    const mirrored = frame < 0 ? -frame : frame;
    return row[mirrored < row.length ? mirrored : 2 * (row.length - 1) - mirrored]!;
  };
  return row.map((_, frame) => {
    const window = Array.from({ length: 7 }, (_, i) => at(frame + i - 3));
    return window.sort((a, b) => a - b)[3]!;
  });
}

for (const frames of [4, 5, 7, 40]) {
  test(`the filter over ${frames} frames is the median of seven, with repeated values too`, async () => {
    const rows = Array.from({ length: HEADS * POSITIONS }, (_, row) =>
      Array.from({ length: frames }, (_, frame) => ((7 + row) * (frame * frame + 3 * row)) % 11),
    );
    const dims = [HEADS, POSITIONS, frames];
    const { median } = await runGraph(
      (graph) => {
        const x = graph.input('x', 'float32', ['heads', 'positions', 'frames']);
        graph.output('median', medianFilter(graph, x), 'float32', ['heads', 'positions', 'frames']);
      },
      { x: { type: 'float32', data: Float32Array.from(rows.flat()), dims } },
    );
    expect(median!.dims).toEqual(dims);
    expect([...median!.data]).toEqual(rows.flatMap(slowly));
  });
}
