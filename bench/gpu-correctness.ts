import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { secToSamples } from '../audio/time.ts';
import { InferenceEngine } from '../models/engine/engine.ts';
import type { DeviceOptions } from '../models/engine/protocol.ts';
import { WhisperRecognizer } from '../models/whisper/whisper-recognizer.ts';
import type { RecognizedToken } from '../pipeline/contracts.ts';
import { printTable } from './gpu-tables.ts';
import { readWavSamples } from './wav-samples.ts';

const SAMPLE = join(import.meta.dirname, '../samples/meeting-en.wav');
/** Of the sample; a little is enough where the CPU is compared with itself. */
const WINDOWS = {
  cuda: { count: 2, windowSamples: secToSamples(30) },
  cpu: { count: 1, windowSamples: secToSamples(8) },
} as const;
/** float16 against float32; more is a fault and no rounding. */
const MAX_LOG_PROB_DIFFERENCE = 0.05;

/** An English checkpoint on the sample, on the device and on the CPU: its faults. */
export async function compareWithCpu(device: DeviceOptions, folder: string): Promise<string[]> {
  const windows = { ...WINDOWS[device.device], folder };
  const reference = await transcribe({ ...device, device: 'cpu' }, windows);
  const found = await transcribe(device, windows);
  const rows = reference.map((expected, window) => compare(expected, found[window]!));
  printTable(
    `${basename(folder)} on the sample, against the CPU in float32`,
    ['window', 'tokens', 'tokens equal', 'largest difference of log-probabilities'],
    rows.map(({ count, equal, difference }, window) => [
      window,
      count,
      equal,
      difference.toExponential(1),
    ]),
  );
  return rows.flatMap(({ count, equal, difference }, window) => [
    ...(equal < count ? [`window ${window}: ${count - equal} tokens differ from the CPU's`] : []),
    ...(difference > MAX_LOG_PROB_DIFFERENCE ? [`window ${window}: log-probabilities differ`] : []),
  ]);
}

async function transcribe(
  device: DeviceOptions,
  { count, windowSamples, folder }: (typeof WINDOWS)['cuda' | 'cpu'] & { readonly folder: string },
): Promise<(readonly RecognizedToken[])[]> {
  const engine = new InferenceEngine(device, () => {});
  try {
    const recognizer = await WhisperRecognizer.load(engine, {
      modelName: basename(folder),
      folder,
      computeType: device.device === 'cuda' ? 'float16' : 'float32',
      batchSize: count,
    });
    const samples = readWavSamples(await readFile(SAMPLE));
    const { signal } = new AbortController();
    const windows = Array.from({ length: count }, (_, index) =>
      recognizer.recognize(
        {
          waveform: samples.slice(index * windowSamples, (index + 1) * windowSamples),
          task: 'transcribe',
          language: 'en',
          timestamps: true,
          temperature: 0,
          prompt: null,
        },
        signal,
      ),
    );
    return (await Promise.all(windows)).map(({ tokens }) => tokens);
  } finally {
    await engine.close();
  }
}

function compare(expected: readonly RecognizedToken[], found: readonly RecognizedToken[]) {
  const count = Math.max(expected.length, found.length);
  let equal = 0;
  let difference = 0;
  for (const [index, token] of expected.entries()) {
    const other = found[index];
    if (other === undefined || idOf(token) !== idOf(other)) continue;
    equal += 1;
    difference = Math.max(difference, Math.abs(token.logProb - other.logProb));
  }
  return { count, equal, difference };
}

const idOf = (token: RecognizedToken): string =>
  token.kind === 'text' ? `text ${token.id}` : `time ${token.offsetSamples}`;
