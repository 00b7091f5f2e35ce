import { alignSegments } from '../pipeline/alignment/align-segments.ts';
import type { CtcVocabulary, Emissions, Segment } from '../pipeline/contracts.ts';

/**
 * CPU time of aligning an hour of speech, 120 segments of 30 s at 2.5 words a second, on emissions
 * that are already there: `npm run bench:ctc [-- CLASSES]`, 32 by default; Korean models have 1,200.
 */
const SAMPLES_PER_FRAME = 320;
const SEGMENT_SAMPLES = 30 * 16_000;
const SEGMENTS = 120;
const WORDS = 75;
const RUNS = 5;
const classes = Number(process.argv[2] ?? 32);

const letters = [...'abcdefghijklmnopqrstuvwxyz'];
const vocabulary: CtcVocabulary = {
  classOf: new Map(letters.map((letter, i) => [letter, i + 2])),
  blankId: 0,
  delimiterId: 1,
};

/** Pseudorandom in [0, 1), the same in every run. */
let state = 1;
const random = (): number => {
  state = (state * 48_271) % 2_147_483_647;
  return state / 2_147_483_647;
};

const word = (): string =>
  Array.from(
    { length: 2 + Math.floor(6 * random()) },
    () => letters[Math.floor(26 * random())],
  ).join('');

const segments = Array.from({ length: SEGMENTS }, (_, i): Segment => {
  const range = { start: i * SEGMENT_SAMPLES, end: (i + 1) * SEGMENT_SAMPLES };
  const words = Array.from({ length: WORDS }, (__, at) => ({
    text: at % 20 === 7 ? '№7' : word(),
    range,
    confidence: 1,
  }));
  const text = words.map((one) => one.text).join(' ');
  const diagnostics = { avgLogProb: 0, noSpeechProb: 0, compressionRatio: 1, temperature: 0 };
  return { text, range, words, confidence: 1, ...diagnostics };
});

const frames = SEGMENT_SAMPLES / SAMPLES_PER_FRAME - 1;
const logProbs = Float32Array.from(
  { length: frames * classes },
  () => Math.log(0.05 + random()) - 1,
);
const emissions: Emissions = { logProbs, frames, classes };

async function cpuSec(): Promise<number> {
  const before = process.cpuUsage();
  const { aligned } = await alignSegments(segments, {
    emissionsOf: () => Promise.resolve(emissions),
    geometry: {
      vocabulary,
      samplesPerFrame: SAMPLES_PER_FRAME,
      receptiveFieldSamples: 400,
      maxWindowSamples: SEGMENT_SAMPLES,
    },
    language: 'fr',
    audioSamples: SEGMENTS * SEGMENT_SAMPLES,
    concurrency: 1,
    signal: new AbortController().signal,
  });
  if (aligned !== SEGMENTS) throw new Error('Not every segment was aligned');
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e6;
}

await cpuSec();
const times: number[] = [];
for (let run = 0; run < RUNS; run++) times.push(await cpuSec());
times.sort((a, b) => a - b);
const result = {
  audioSec: 3600,
  words: SEGMENTS * WORDS,
  classes,
  minCpuSec: Number(times[0]!.toFixed(3)),
  medianCpuSec: Number(times[RUNS >> 1]!.toFixed(3)),
};
process.stdout.write(`${JSON.stringify(result)}\n`);
