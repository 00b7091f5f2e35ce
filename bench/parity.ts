import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { openAudio } from '../audio/open-audio.ts';
import { SAMPLE_RATE_HZ, samplesToSec } from '../audio/time.ts';
import { loadConfig } from '../core/config.ts';
import { loadModels, WHISPER_TINY_EN } from '../models/load-models.ts';
import type {
  DecodingRules,
  Recognition,
  RecognizedToken,
  SpeechRecognizer,
} from '../pipeline/contracts.ts';
import { DEFAULT_TRANSCRIBE_OPTIONS } from '../pipeline/options.ts';
import { type Attempt, compressionRatio, needsFallback } from '../pipeline/quality.ts';
import { countWordErrors, errorRate, sumErrors } from './word-errors.ts';

/**
 * How far our text and times are from openai-whisper's on the same clips and weights, for each way
 * of decoding. openai-whisper runs in this bench, so that both hear exactly the same samples.
 */
const { values } = parseArgs({
  options: {
    audio: { type: 'string', default: '../shared/audio' },
    /** Below `audio`, comma-separated. */
    folders: { type: 'string', default: 'real,synth' },
    language: { type: 'string', default: 'en' },
    'fp32-model': { type: 'string', default: '../shared/models/whisper-tiny.en' },
    /** The same weights in 8 bits. */
    'int8-model': { type: 'string', default: WHISPER_TINY_EN.folder },
    python: { type: 'string', default: 'python3' },
    /** Where openai-whisper's answer is kept for the next run; it takes minutes. */
    reference: { type: 'string' },
    'step-sec': { type: 'string', default: '10' },
  },
});

const ROOT = join(import.meta.dirname, '..');
const CLIP_SAMPLES = 30 * SAMPLE_RATE_HZ;
const MIN_CLIP_SAMPLES = 2 * SAMPLE_RATE_HZ;
const SAME_TIME_SEC = 0.04;
const { signal } = new AbortController();

const WindowSegments = z.array(
  z.object({ start: z.number(), end: z.number(), text: z.string(), temperature: z.number() }),
);
const Reference = z.record(z.string(), z.array(WindowSegments));
type WindowSegment = z.output<typeof WindowSegments>[number];

interface Way {
  readonly name: string;
  readonly temperatures: readonly number[];
  readonly rules?: DecodingRules;
}
const WAYS: readonly Way[] = [
  { name: 'greedy', temperatures: [0] },
  { name: 'fallback', temperatures: DEFAULT_TRANSCRIBE_OPTIONS.temperatures },
  { name: 'beam 5', temperatures: [0], rules: { beamSize: 5 } },
];

const workFolder = await mkdtemp(join(tmpdir(), 'stt-parity-'));
try {
  await main();
} finally {
  await rm(workFolder, { recursive: true });
}

async function main(): Promise<void> {
  const clips = await cutClips();
  const fp32 = resolve(ROOT, values['fp32-model']);
  const reference = await askOpenaiWhisper(fp32, clips);
  process.stdout.write(
    `${clips.length} clips\n\n| weights | decoding | words | words that differ | segment times within 40 ms | windows above temperature 0, ours and theirs |\n|---|---|---|---|---|---|\n`,
  );
  for (const { name, folder } of [
    { name: 'float32', folder: fp32 },
    { name: '8 bit', folder: resolve(ROOT, values['int8-model']) },
  ]) {
    const settings = { device: 'cpu', threads: 0, computeType: 'float32', batchSize: 8 } as const;
    const models = await loadModels({ ...settings, whisper: { name, folder } }, () => {});
    for (const way of WAYS) {
      const ours = await Promise.all(clips.map((clip) => decode(clip, way, models.recognizer)));
      process.stdout.write(`| ${name} | ${way.name} | ${compare(ours, reference[way.name]!)} |\n`);
    }
    await models.close();
  }
}

/** Windows of all recordings, one every few seconds. */
async function cutClips(): Promise<Float32Array<ArrayBuffer>[]> {
  const root = resolve(ROOT, values.audio);
  const files = values.folders
    .split(',')
    .filter((folder) => existsSync(join(root, folder)))
    .flatMap((folder) => readdirSync(join(root, folder)).map((name) => join(folder, name)))
    .filter((path) => /\.(wav|flac)$/.test(path));
  const clips: Float32Array<ArrayBuffer>[] = [];
  for (const path of files) {
    const limits = { ...loadConfig({}).audio, root };
    const spooled = await openAudio({ kind: 'path', path }, limits, signal);
    const stepSamples = Number(values['step-sec']) * SAMPLE_RATE_HZ;
    for (let start = 0; start < spooled.sampleCount; start += stepSamples) {
      const end = Math.min(spooled.sampleCount, start + CLIP_SAMPLES);
      if (end - start >= MIN_CLIP_SAMPLES) clips.push(await spooled.read({ start, end }));
    }
    await spooled.close();
  }
  return clips;
}

async function askOpenaiWhisper(folder: string, clips: readonly Float32Array[]) {
  const kept = values.reference;
  if (kept !== undefined && existsSync(kept)) return parseReference(kept);
  const paths = clips.map((_, index) => join(workFolder, `${index}.f32`));
  await Promise.all(clips.map((clip, index) => writeFile(paths[index]!, clip)));
  const [list, answer] = [join(workFolder, 'clips.json'), kept ?? join(workFolder, 'answer.json')];
  await writeFile(list, JSON.stringify(paths));
  const script = join(ROOT, 'bench/peers/openai_whisper_reference.py');
  execFileSync(values.python, [script, folder, list, answer, values.language], {
    stdio: 'inherit',
  });
  return parseReference(answer);
}

async function parseReference(path: string) {
  return Reference.parse(JSON.parse(await readFile(path, 'utf8')));
}

/** Our segments of one window, cut off where openai-whisper's next window would begin. */
async function decode(
  waveform: Float32Array<ArrayBuffer>,
  { temperatures, rules }: Way,
  recognizer: SpeechRecognizer,
): Promise<WindowSegment[]> {
  const attempts: Attempt[] = [];
  for (const temperature of temperatures) {
    const recognition = await recognizer.recognize(
      {
        waveform,
        task: 'transcribe',
        language: values.language,
        timestamps: true,
        temperature,
        prompt: null,
        ...(rules && { rules }),
      },
      signal,
    );
    const text = recognizer.textOf(textIds(recognition.tokens)).trim();
    attempts.push({ recognition, text, temperature, compressionRatio: compressionRatio(text) });
    if (!needsFallback(attempts.at(-1)!, DEFAULT_TRANSCRIBE_OPTIONS)) break;
  }
  // As openai-whisper, which keeps the last attempt; ours in a job is the best of all.
  const chosen = attempts.at(-1)!;
  return isSilent(chosen.recognition)
    ? []
    : closedSegments(chosen.recognition.tokens, chosen.temperature, recognizer);
}

function isSilent({ noSpeechProb, avgLogProb }: Recognition): boolean {
  const { noSpeechThreshold, avgLogProbThreshold } = DEFAULT_TRANSCRIBE_OPTIONS;
  return noSpeechProb > noSpeechThreshold && avgLogProb <= avgLogProbThreshold;
}

function textIds(tokens: readonly RecognizedToken[]): number[] {
  return tokens.flatMap((token) => (token.kind === 'text' ? token.id : []));
}

/** openai-whisper's cut of a window into segments: between two timestamps in a row. */
function closedSegments(
  tokens: readonly RecognizedToken[],
  temperature: number,
  recognizer: Pick<SpeechRecognizer, 'textOf'>,
): WindowSegment[] {
  const isTime = tokens.map(({ kind }) => kind === 'timestamp');
  const cuts = tokens.flatMap((_, i) => (isTime[i] && isTime[i - 1] ? [i] : []));
  if (isTime.at(-1) && !isTime.at(-2)) cuts.push(tokens.length);
  else if (cuts.length === 0) cuts.push(tokens.length);
  return cuts
    .map((cut, index) => tokens.slice(cuts[index - 1] ?? 0, cut))
    .map((slice) => {
      const times = slice.flatMap((token) =>
        token.kind === 'timestamp' ? samplesToSec(token.offsetSamples) : [],
      );
      const [start, end] = [times[0] ?? 0, times.at(-1) ?? 0];
      return { start, end, text: recognizer.textOf(textIds(slice)), temperature };
    })
    .filter(({ text }) => text.trim() !== '');
}

function compare(ours: readonly WindowSegment[][], theirs: readonly WindowSegment[][]): string {
  const text = (segments: readonly WindowSegment[]): string =>
    segments.map((segment) => segment.text).join(' ');
  const counts = theirs.map((segments, i) => countWordErrors(text(segments), text(ours[i]!)));
  const total = sumErrors(counts);
  const segments = theirs.flatMap((window, i) =>
    window.map((segment) => closeIn(segment, ours[i]!)),
  );
  const share = segments.filter(Boolean).length / segments.length;
  const retried = (windows: readonly WindowSegment[][]): number =>
    windows.filter((window) => window.some(({ temperature }) => temperature > 0)).length;
  return [
    total.referenceLength,
    `${(100 * errorRate(total)).toFixed(2)} %`,
    `${(100 * share).toFixed(1)} %`,
    `${retried(ours)}, ${retried(theirs)}`,
  ].join(' | ');
}

/** Whether a segment of ours has both of its times. */
function closeIn(theirs: WindowSegment, ours: readonly WindowSegment[]): boolean {
  const isClose = (a: number, b: number): boolean => Math.abs(a - b) <= SAME_TIME_SEC + 1e-6;
  return ours.some(({ start, end }) => isClose(start, theirs.start) && isClose(end, theirs.end));
}
