import type { OnnxGraph } from '../graph/onnx-graph.ts';
import type { KeyValues } from './attention.ts';
import type { WhisperCheckpoint } from './checkpoint.ts';
import type { WhisperDecoder } from './decoder.ts';

/** The Loop's inputs for the keys and values of all layers. */
export function pastInputs(graph: OnnxGraph, context: KeyValueContext): KeyValues[] {
  const { computeType } = context.decoder;
  const shape = keyValueShape(context, 'past');
  return Array.from({ length: context.checkpoint.decoderLayers }, (_, layer) => ({
    keys: graph.input(`past_keys.${layer}`, computeType, shape),
    values: graph.input(`past_values.${layer}`, computeType, shape),
  }));
}

export function presentOutputs(
  graph: OnnxGraph,
  context: KeyValueContext,
  present: readonly KeyValues[],
): void {
  const { computeType } = context.decoder;
  const shape = keyValueShape(context, 'present');
  for (const [layer, { keys, values }] of present.entries()) {
    graph.output(`present_keys.${layer}`, keys, computeType, shape);
    graph.output(`present_values.${layer}`, values, computeType, shape);
  }
}

type KeyValueContext = { decoder: WhisperDecoder; checkpoint: WhisperCheckpoint };

function keyValueShape({ checkpoint }: KeyValueContext, length: string): (number | string)[] {
  const { decoderHeads, dModel } = checkpoint;
  return ['rows', decoderHeads, length, dModel / decoderHeads];
}
