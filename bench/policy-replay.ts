import { readFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { loadModels, WHISPER_TINY_EN } from '../models/load-models.ts';
import type { SpeechRecognizer } from '../pipeline/contracts.ts';
import { DEFAULT_TRANSCRIBE_OPTIONS } from '../pipeline/options.ts';
import { transcribe } from '../pipeline/transcribe.ts';
import { OwnPolicy, WhisperStreamingPolicy } from './caption-policies.ts';
import { replayCaptions } from './replay-captions.ts';
import { readWavSamples } from './wav-samples.ts';
import { countWordErrors, errorRate } from './word-errors.ts';

/**
 * Policies of live captions on the same engine and the same audio, against a clock of its own: each
 * window takes `--service-ms`, whatever the machine does meanwhile, so that runs can be compared.
 * `npm run bench:policies -- [--service-ms 300] [file.wav …]`
 */

const { values, positionals } = parseArgs({
  options: { 'service-ms': { type: 'string', default: '300' } },
  allowPositionals: true,
});
const serviceMs = Number(values['service-ms']);
const paths = positionals.length > 0 ? positionals : ['samples/meeting-en.wav'];
const { signal } = new AbortController();

const percentile = (sorted: readonly number[], share: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;

const models = await loadModels(
  { device: 'cpu', threads: 0, computeType: 'auto', batchSize: 1, whisper: WHISPER_TINY_EN },
  (error) => {
    throw error;
  },
);
const { recognizer, voiceActivity } = models;
/** The same recogniser, always with the padding of training. */
const padded: SpeechRecognizer = {
  modelName: recognizer.modelName,
  maxWindowSamples: recognizer.maxWindowSamples,
  languages: recognizer.languages,
  batchSize: recognizer.batchSize,
  textOf: (ids) => recognizer.textOf(ids),
  recognize: (request, stop) => recognizer.recognize({ ...request, shortContext: false }, stop),
};
process.stdout.write(`${cpus()[0]?.model}, Node ${process.version}, ${serviceMs} ms a window\n`);
for (const path of paths) {
  const samples = readWavSamples(await readFile(path));
  const frameSamples = voiceActivity.windowSamples;
  const whole = samples.slice(0, samples.length - (samples.length % frameSamples));
  const probabilities = [...(await voiceActivity.openStream().push(whole, signal))];
  const waveform = {
    sampleCount: samples.length,
    read: async ({ start, end }: { start: number; end: number }) => samples.slice(start, end),
  };
  const options = { ...DEFAULT_TRANSCRIBE_OPTIONS, language: 'en' };
  const { segments } = await transcribe(waveform, options, models, {}, signal);
  const offline = segments.map(({ text }) => text).join(' ');
  const policies = [
    new OwnPolicy('own', samples, { recognizer }),
    new OwnPolicy('own, 30 s context', samples, { recognizer: padded }),
    new WhisperStreamingPolicy(samples, padded),
  ];
  process.stdout.write(`${path}\n`);
  for (const policy of policies) {
    const options = { frameSamples, serviceMs };
    const { words, latenciesMs, windows, engineMs } = await replayCaptions(
      policy,
      probabilities,
      options,
    );
    const text = words.map((word) => word.text).join('');
    const sorted = latenciesMs.toSorted((a, b) => a - b);
    const [p50, p95] = [percentile(sorted, 0.5), percentile(sorted, 0.95)];
    const wer = errorRate(countWordErrors(offline, text));
    process.stdout.write(
      `${policy.name.padEnd(20)} final p50 ${p50.toFixed(0)} ms, p95 ${p95.toFixed(0)} ms, ${windows} windows, ` +
        `${(engineMs / windows).toFixed(0)} ms each, words unlike the offline transcript ${(100 * wer).toFixed(1)} %\n`,
    );
  }
}
await models.close();
