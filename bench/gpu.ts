import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { loadConfig } from '../core/config.ts';
import { chooseDevice } from '../models/device.ts';
import type { DeviceOptions } from '../models/engine/protocol.ts';
import { whisperFiles } from '../models/hub/needs.ts';
import { resolveModel } from '../models/hub/resolve-model.ts';
import { WHISPER_TINY_EN } from '../models/load-models.ts';
import { writeRandomCheckpoint } from '../scripts/random-checkpoint.ts';
import { WHISPER_SHAPES, type WhisperShape } from '../scripts/whisper-shapes.ts';
import { writeFloat16Copy } from './float16-copy.ts';
import { compareWithCpu } from './gpu-correctness.ts';
import { GpuMemory, gpuFacts } from './gpu-facts.ts';
import { measureModel } from './gpu-measure.ts';
import { printTable } from './gpu-tables.ts';

const USAGE = `Usage: npm run bench:gpu -- [--model REFERENCE] [--shape large-v3,turbo] [--layers N] [--width N]
  [--batches 1,2,4,8,16,32] [--tokens 64] [--device cuda|cpu]
Cold start, encoder, tokens, memory, warm-up, the runtime's profile and correctness against the CPU.
Without --model the weights are random, of the shapes' true sizes or of the given ones; --shape none leaves correctness.
Exit code 1: a node of a decode's Loop ran on the CPU, or the tokens of tiny.en in float16 differ from the CPU's.
`;

const { values } = parseArgs({
  options: {
    model: { type: 'string' },
    shape: { type: 'string', default: 'large-v3,turbo' },
    layers: { type: 'string' },
    width: { type: 'string' },
    batches: { type: 'string', default: '1,2,4,8,16,32' },
    tokens: { type: 'string', default: '64' },
    device: { type: 'string', default: 'cuda' },
    help: { type: 'boolean', default: false },
  },
});

const batches = values.batches.split(',').map(Number);
const tokens = Number(values.tokens);
const isUsable =
  batches.every((size) => Number.isInteger(size) && size > 0) &&
  Number.isInteger(tokens) &&
  tokens > 1 &&
  (values.device === 'cuda' || values.device === 'cpu');
if (values.help || !isUsable) {
  process.stderr.write(USAGE);
  process.exit(2);
}

const config = loadConfig(process.env);
const device: DeviceOptions = {
  device: chooseDevice(values.device === 'cpu' ? 'cpu' : 'cuda'),
  threads: config.engine.threads,
};
const workFolder = await mkdtemp(join(tmpdir(), 'stt-gpu-'));
const memory = new GpuMemory();
const faults: string[] = [];
try {
  await reportMachine();
  for (const { name, folder } of await models()) {
    const measured = await measureModel({ name, folder, device, batches, tokens, memory });
    faults.push(...measured.faults);
  }
  const float16 = join(workFolder, 'whisper-tiny.en in float16');
  await writeFloat16Copy(WHISPER_TINY_EN.folder, float16);
  faults.push(...(await compareWithCpu(device, float16)));
  await compareWithCpu(device, WHISPER_TINY_EN.folder);
} finally {
  memory.stop();
  await rm(workFolder, { recursive: true });
}
for (const fault of faults) process.stdout.write(`\nFAILED: ${fault}\n`);
// The CUDA provider may abort in its destructors: the outcome is told before they run.
process.exit(faults.length === 0 ? 0 : 1);

async function reportMachine(): Promise<void> {
  const path = new URL('../node_modules/onnxruntime-node/package.json', import.meta.url);
  const { version } = JSON.parse(await readFile(path, 'utf8')) as { version: string };
  const facts = gpuFacts();
  if (device.device === 'cuda' && facts === undefined) {
    process.stderr.write('nvidia-smi finds no GPU; --device cpu tries the bench without one\n');
    process.exit(1);
  }
  printTable(
    'Machine',
    ['what', 'value'],
    [
      ['device', device.device],
      ['GPU: name, driver, memory, compute capability, power limit', facts ?? 'none'],
      ['Node', process.version],
      ['onnxruntime-node', version],
    ],
  );
}

async function models(): Promise<{ readonly name: string; readonly folder: string }[]> {
  if (values.model !== undefined) {
    const { signal } = new AbortController();
    const { folder } = await resolveModel(values.model, whisperFiles, config.hub, signal);
    return [{ name: values.model, folder }];
  }
  const written = [];
  for (const name of values.shape === 'none' ? [] : values.shape.split(',')) {
    const shape = WHISPER_SHAPES[name];
    if (shape === undefined) throw new Error(`--shape: ${Object.keys(WHISPER_SHAPES).join(', ')}`);
    const folder = join(workFolder, name);
    await writeRandomCheckpoint(folder, { shape: reduced(shape), dtype: 'F16', seed: 1 });
    written.push({ name: `${name} (random weights)`, folder });
  }
  return written;
}

/** To try the bench itself: what a layer does takes its time by its width. */
function reduced(shape: WhisperShape): WhisperShape {
  const encoderLayers = Number(values.layers ?? shape.encoderLayers);
  const decoderLayers = Number(values.layers ?? shape.decoderLayers);
  const dModel = Number(values.width ?? shape.dModel);
  const [encoderFeedForward, decoderFeedForward] = [4 * dModel, 4 * dModel];
  const sizes = { dModel, heads: dModel / 64, encoderFeedForward, decoderFeedForward };
  return { ...shape, ...sizes, encoderLayers, decoderLayers };
}
