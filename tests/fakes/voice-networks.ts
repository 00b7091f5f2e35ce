import { OnnxGraph, type Value } from '../../models/graph/onnx-graph.ts';

/**
 * Small networks with the inputs and outputs of pyannote's segmentation-3.0 and WeSpeaker's ResNet34:
 * two people are told apart by their pitch, so that every step around the networks is the real one.
 */
const VOICES_HZ = [400, 1500] as const;
const SAMPLE_RATE_HZ = 16_000;
const KERNEL = 991;
const STRIDE = 270;
/** A tone of amplitude 0.3 has about 22,000, at its quietest 220, noise next to nothing. */
const HEARD_POWER = 100;

/** By person, for {}, {0}, {1}, {2}, {0, 1}, {0, 2}, {1, 2}: nobody is ever the third. */
const CLASS_WEIGHTS = Float32Array.from([...[-5, 5, -5, 0, 5, 0, 0], ...[-5, -5, 5, 0, 5, 0, 0]]);

/** `input_values` `[windows, 1, samples]` → `logits` `[windows, frames, 7]`, a powerset of three. */
export function powersetNetwork(): Buffer {
  const graph = new OnnxGraph();
  const waveform = graph.input('input_values', 'float32', ['batch', 1, 'samples']);
  const kernels = VOICES_HZ.flatMap((hz) =>
    [Math.cos, Math.sin].map((wave) =>
      Float32Array.from({ length: KERNEL }, (_, i) =>
        wave((2 * Math.PI * hz * i) / SAMPLE_RATE_HZ),
      ),
    ),
  );
  const waves = graph.op(
    'Conv',
    [waveform, graph.floats(concat(kernels), [kernels.length, 1, KERNEL])],
    { strides: { ints: [STRIDE] } },
  );
  const squares = graph.op('Mul', [waves, waves]);
  const power = graph.op('MatMul', [
    graph.op('Transpose', [squares], { perm: { ints: [0, 2, 1] } }),
    graph.floats(Float32Array.of(1, 0, 1, 0, 0, 1, 0, 1), [4, 2]),
  ]);
  const heard = graph.op('Sub', [
    graph.op('Div', [power, graph.float(HEARD_POWER)]),
    graph.float(1),
  ]);
  const clear = clipped(graph, heard);
  const logits = graph.op('Add', [
    graph.op('MatMul', [clear, graph.floats(CLASS_WEIGHTS, [2, 7])]),
    graph.floats(Float32Array.of(0, 0, 0, -20, 0, -20, -20), [7]),
  ]);
  const scores = graph.op('LogSoftmax', [logits], { axis: { int: -1 } });
  graph.output('logits', scores, 'float32', ['batch', 'frames', 7]);
  return Buffer.from(graph.toModel());
}

const clipped = (graph: OnnxGraph, value: Value): Value =>
  graph.op('Max', [graph.op('Min', [value, graph.float(1)]), graph.float(-1)]);

/**
 * `input_features` `[excerpts, frames, 80]` → `embeddings` `[excerpts, 256]`: how much each mel moves,
 * spread over 256 numbers.
 */
export function resnetNetwork(): Buffer {
  const graph = new OnnxGraph();
  const features = graph.input('input_features', 'float32', ['batch', 'frames', 80]);
  const spread = Float32Array.from({ length: 80 * 256 }, (_, i) => Math.sin(i * i * 0.7) / 16);
  const moved = graph.op(
    'ReduceMean',
    [graph.op('Mul', [features, features]), graph.integers([1])],
    {
      keepdims: { int: 0 },
    },
  );
  const embedding = graph.op('MatMul', [moved, graph.floats(spread, [80, 256])]);
  graph.output('embeddings', embedding, 'float32', ['batch', 256]);
  return Buffer.from(graph.toModel());
}

/** Who speaks as a tone of their pitch that comes and goes four times a second, above a little noise. */
export function tonesOf(
  turns: readonly { readonly voice: number; readonly startSec: number; readonly endSec: number }[],
  durationSec: number,
): Float32Array<ArrayBuffer> {
  let state = 1;
  const samples = Float32Array.from({ length: durationSec * SAMPLE_RATE_HZ }, () => {
    state = (state * 48_271) % 2_147_483_647;
    return 0.006 * (state / 2_147_483_647 - 0.5);
  });
  for (const { voice, startSec, endSec } of turns) {
    for (let at = startSec * SAMPLE_RATE_HZ; at < endSec * SAMPLE_RATE_HZ; at++) {
      const sec = at / SAMPLE_RATE_HZ;
      const loudness = 0.3 * (0.55 + 0.45 * Math.sin(2 * Math.PI * 4 * sec));
      samples[at]! += loudness * Math.sin(2 * Math.PI * VOICES_HZ[voice]! * sec);
    }
  }
  return samples;
}

function concat(parts: readonly Float32Array[]): Float32Array {
  const whole = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
