import { parseArgs } from 'node:util';
import { writeRandomCheckpoint } from './random-checkpoint.ts';
import type { RandomDtype } from './random-values.ts';
import { WHISPER_SHAPES, type WhisperShape } from './whisper-shapes.ts';

const USAGE = `Usage: npm run random-whisper -- --out FOLDER [--shape large-v3] [--dtype f16] [--seed 1]
Writes a Whisper with random weights: what its graph costs, without the download.
  --shape NAME            ${Object.keys(WHISPER_SHAPES).join(', ')}
  --dtype f32|f16|bf16    how the weights are stored
  --shards N              spread over N files
  --layers N              layers of both sides; --encoder-layers N, --decoder-layers N of one
  --d-model N --heads N   width and its attention heads
`;

const DTYPES: Readonly<Record<string, RandomDtype>> = { f32: 'F32', f16: 'F16', bf16: 'BF16' };

const { values } = parseArgs({
  options: {
    out: { type: 'string' },
    shape: { type: 'string', default: 'large-v3' },
    dtype: { type: 'string', default: 'f16' },
    seed: { type: 'string', default: '1' },
    shards: { type: 'string', default: '1' },
    layers: { type: 'string' },
    'encoder-layers': { type: 'string' },
    'decoder-layers': { type: 'string' },
    'd-model': { type: 'string' },
    heads: { type: 'string' },
  },
});

const count = (text: string | undefined, otherwise: number): number =>
  text === undefined ? otherwise : Number.parseInt(text, 10);

function reduced(shape: WhisperShape): WhisperShape {
  const dModel = count(values['d-model'], shape.dModel);
  return {
    ...shape,
    dModel,
    heads: count(values.heads, dModel === shape.dModel ? shape.heads : Math.ceil(dModel / 64)),
    encoderFeedForward: 4 * dModel,
    decoderFeedForward: 4 * dModel,
    encoderLayers: count(values['encoder-layers'] ?? values.layers, shape.encoderLayers),
    decoderLayers: count(values['decoder-layers'] ?? values.layers, shape.decoderLayers),
  };
}

const shape = WHISPER_SHAPES[values.shape];
const dtype = DTYPES[values.dtype];
if (values.out === undefined || shape === undefined || dtype === undefined) {
  process.stderr.write(USAGE);
  process.exit(2);
}
await writeRandomCheckpoint(values.out, {
  shape: reduced(shape),
  dtype,
  seed: count(values.seed, 1),
  shards: count(values.shards, 1),
});
