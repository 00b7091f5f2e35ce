import type { OnnxGraph, Value } from '../graph/onnx-graph.ts';

/** Width of openai-whisper's median filter over time. */
const WIDTH = 7;

/**
 * Median of 7 neighbours along the last axis of `x` `[heads, positions, frames]`, mirrored at the
 * edges (`reflect`: the edge itself is not repeated); `frames` is at least 4.
 *
 * A sorting network in elementwise minima and maxima, where neighbours share what they have in
 * common: pairs (x₀,x₁), then sorted quads of two pairs and triples of a pair and one, then the
 * middle of a quad a₀≤a₁≤a₂≤a₃ and a triple b₀≤b₁≤b₂: min(a₃, max(a₂,b₀), max(a₁,b₁), max(a₀,b₂)).
 */
export function medianFilter(graph: OnnxGraph, x: Value): Value {
  return graph.in('median_filter', () => {
    const reach = (WIDTH - 1) / 2;
    const padded = graph.op('Pad', [x, graph.integers([0, 0, reach, 0, 0, reach])], {
      mode: { text: 'reflect' },
    });
    return new MedianOfSeven(graph).of(padded);
  });
}

class MedianOfSeven {
  readonly #graph: OnnxGraph;

  constructor(graph: OnnxGraph) {
    this.#graph = graph;
  }

  /** `[…, n]` → `[…, n − 6]`. */
  of(x: Value): Value {
    const [next, last] = [this.#from(x, 1, 0), this.#from(x, 0, 1)];
    const low = this.#min(last, next); // of x₀, x₁: n − 1 values
    const high = this.#max(last, next);
    const [a0, a1, a2, a3] = this.#quads(low, high);
    const [b0, b1, b2] = this.#triples(low, high, x);
    return this.#min(
      this.#min(a3, this.#max(a2, b0)),
      this.#min(this.#max(a1, b1), this.#max(a0, b2)),
    );
  }

  /** x₀…x₃ sorted, from the pairs (x₀,x₁) and (x₂,x₃); the last three have no triple after them. */
  #quads(low: Value, high: Value): [Value, Value, Value, Value] {
    const first = [this.#from(low, 0, 5), this.#from(high, 0, 5)] as const;
    const second = [this.#from(low, 2, 3), this.#from(high, 2, 3)] as const;
    const lower = this.#max(first[0], second[0]);
    const upper = this.#min(first[1], second[1]);
    return [
      this.#min(first[0], second[0]),
      this.#min(lower, upper),
      this.#max(lower, upper),
      this.#max(first[1], second[1]),
    ];
  }

  /** x₄…x₆ sorted, from the pair (x₄,x₅) and x₆. */
  #triples(allLow: Value, allHigh: Value, x: Value): [Value, Value, Value] {
    const [low, high] = [this.#from(allLow, 4, 1), this.#from(allHigh, 4, 1)];
    const third = this.#from(x, 6, 0);
    return [this.#min(low, third), this.#max(low, this.#min(high, third)), this.#max(high, third)];
  }

  #min(a: Value, b: Value): Value {
    return this.#graph.op('Min', [a, b]);
  }

  #max(a: Value, b: Value): Value {
    return this.#graph.op('Max', [a, b]);
  }

  /** Without the first `skipped` and the last `dropped` values. */
  #from(x: Value, skipped: number, dropped: number): Value {
    const graph = this.#graph;
    const end = dropped === 0 ? Number.MAX_SAFE_INTEGER : -dropped;
    return graph.op('Slice', [
      x,
      graph.integers([skipped]),
      graph.integers([end]),
      graph.integers([-1]),
    ]);
  }
}
