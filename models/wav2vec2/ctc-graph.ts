import type { OnnxGraph } from '../graph/onnx-graph.ts';
import type { Weights } from '../graph/weights.ts';
import { cast } from './cast.ts';
import type { Wav2Vec2Checkpoint } from './checkpoint.ts';
import { featureExtractor, frameMask, framesOf } from './feature-extractor.ts';
import { layerNorm, transformer } from './transformer.ts';

export interface CtcGraphOptions {
  /**
   * `valid`, the default: padding changes nothing, a row comes out as it would alone. `whole`: group
   * norm counts padding as transformers does; the layers behind it never see padding.
   */
  readonly groupNormOver?: 'valid' | 'whole';
}

/**
 * `waveform` float32 `[batch, samples]` and `lengths` int64 `[batch]`, the samples of each row that
 * are not padding → `emissions` float32 `[batch, frames, vocabulary]`, log-softmax. Frames behind a
 * row's end have no meaning.
 */
export function ctcGraph(
  graph: OnnxGraph,
  weights: Weights,
  checkpoint: Wav2Vec2Checkpoint,
  { groupNormOver = 'valid' }: CtcGraphOptions = {},
): void {
  const context = { graph, weights, checkpoint };
  const { prefix, convolutions, vocabularySize } = checkpoint;
  const waveform = graph.input('waveform', 'float32', ['batch', 'samples']);
  const lengths = graph.input('lengths', 'int64', ['batch']);
  const features = featureExtractor(
    context,
    cast(graph, waveform, weights.computeType),
    groupNormOver === 'valid' ? lengths : undefined,
  );
  const projected = graph.in('feature_projection', () => {
    const normed = layerNorm(context, features, `${prefix}feature_projection.layer_norm`);
    return weights.linear(graph, normed, `${prefix}feature_projection.projection`);
  });
  const frames = graph.op('Gather', [graph.op('Shape', [projected]), graph.integers([1])]);
  const mask = frameMask(graph, framesOf(graph, lengths, convolutions), frames);
  const logits = weights.linear(graph, transformer(context, projected, mask), 'lm_head');
  const emissions = graph.op('LogSoftmax', [cast(graph, logits, 'float32')], {
    axis: { int: -1 },
  });
  graph.output('emissions', emissions, 'float32', ['batch', 'frames', vocabularySize]);
}
