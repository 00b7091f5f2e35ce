/** The sizes that a Whisper network consists of. */
export interface NetworkShape {
  readonly dModel: number;
  readonly encoderLayers: number;
  readonly decoderLayers: number;
  readonly encoderFeedForward: number;
  readonly decoderFeedForward: number;
  readonly melBins: number;
  readonly vocabularySize: number;
  readonly audioPositions: number;
  readonly maxTokens: number;
}

/** Every tensor of a Whisper by its Hugging Face name, with its shape; the output projection is tied. */
export function tensorShapes(shape: NetworkShape): ReadonlyMap<string, readonly number[]> {
  const { dModel, melBins, vocabularySize, audioPositions, maxTokens } = shape;
  return new Map<string, readonly number[]>([
    ['model.encoder.conv1.weight', [dModel, melBins, 3]],
    ['model.encoder.conv1.bias', [dModel]],
    ['model.encoder.conv2.weight', [dModel, dModel, 3]],
    ['model.encoder.conv2.bias', [dModel]],
    ['model.encoder.embed_positions.weight', [audioPositions, dModel]],
    ...repeat(shape.encoderLayers, (layer) =>
      layerShapes(`model.encoder.layers.${layer}`, shape, shape.encoderFeedForward, ['self_attn']),
    ),
    ...normShapes('model.encoder.layer_norm', dModel),
    ['model.decoder.embed_tokens.weight', [vocabularySize, dModel]],
    ['model.decoder.embed_positions.weight', [maxTokens, dModel]],
    ...repeat(shape.decoderLayers, (layer) =>
      layerShapes(`model.decoder.layers.${layer}`, shape, shape.decoderFeedForward, [
        'self_attn',
        'encoder_attn',
      ]),
    ),
    ...normShapes('model.decoder.layer_norm', dModel),
  ]);
}

type ShapeEntry = [name: string, shape: readonly number[]];

const repeat = (count: number, entries: (index: number) => ShapeEntry[]): ShapeEntry[] =>
  Array.from({ length: count }, (_, index) => entries(index)).flat();

function layerShapes(
  name: string,
  { dModel }: NetworkShape,
  feedForward: number,
  attentions: readonly string[],
): ShapeEntry[] {
  return [
    ...attentions.flatMap((attention) => attentionShapes(`${name}.${attention}`, dModel)),
    ...linearShapes(`${name}.fc1`, feedForward, dModel),
    ...linearShapes(`${name}.fc2`, dModel, feedForward),
    ...normShapes(`${name}.final_layer_norm`, dModel),
  ];
}

/** Keys have no bias. */
function attentionShapes(name: string, dModel: number): ShapeEntry[] {
  return [
    [`${name}.k_proj.weight`, [dModel, dModel]],
    ...['q_proj', 'v_proj', 'out_proj'].flatMap((projection) =>
      linearShapes(`${name}.${projection}`, dModel, dModel),
    ),
    ...normShapes(`${name}_layer_norm`, dModel),
  ];
}

const linearShapes = (name: string, outputs: number, inputs: number): ShapeEntry[] => [
  [`${name}.weight`, [outputs, inputs]],
  [`${name}.bias`, [outputs]],
];

const normShapes = (name: string, size: number): ShapeEntry[] => [
  [`${name}.weight`, [size]],
  [`${name}.bias`, [size]],
];
