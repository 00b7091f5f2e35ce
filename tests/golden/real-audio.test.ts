import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openAudio } from '../../audio/open-audio.ts';
import { samplesToSec, secToSamples } from '../../audio/time.ts';
import { countWordErrors, errorRate, sumErrors } from '../../bench/word-errors.ts';
import { loadConfig } from '../../core/config.ts';
import { type LoadedModels, loadModels, WHISPER_TINY_EN } from '../../models/load-models.ts';
import { attentionWords } from '../../pipeline/alignment/attention-words.ts';
import type { TimedWord } from '../../pipeline/alignment/timed-word.ts';
import type { DecodingRules, RecognizedToken, SpeechRecognizer } from '../../pipeline/contracts.ts';
import { describeWithShared, readGolden, sampleWaveform, sharedPath } from './shared-data.ts';

interface TimedText {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}
interface ReferenceSegment extends TimedText {
  /** First mel frame (10 ms) of the window that the segment comes from. */
  readonly seek: number;
}
interface TimedSegment extends ReferenceSegment {
  readonly words: readonly { readonly word: string; readonly start: number }[];
}
interface FileReference {
  readonly greedy: { readonly segments: readonly TimedSegment[] };
  readonly 'greedy-context': { readonly segments: readonly ReferenceSegment[] };
}
type Reference = Record<string, FileReference>;

const { signal } = new AbortController();
const limits = { ...loadConfig({}).audio, root: sharedPath('audio') };
/** Times are written with two digits. */
const WITHIN_40_MS = 0.0401;
const WITHIN_60_MS = 0.0601;

async function waveformOf(path: string): Promise<Float32Array<ArrayBuffer>> {
  const spooled = await openAudio({ kind: 'path', path }, limits, signal);
  const waveform = await spooled.read({ start: 0, end: spooled.sampleCount });
  await spooled.close();
  return waveform;
}

/** What openai-whisper keeps of a window that another follows: all before the last closed timestamp. */
function closedPart(tokens: readonly RecognizedToken[]): readonly RecognizedToken[] {
  const isTimestamp = tokens.map(({ kind }) => kind === 'timestamp');
  const pairs = tokens.flatMap((_, i) => (isTimestamp[i] && isTimestamp[i - 1] ? [i] : []));
  const endsInSingle = isTimestamp.at(-1) === true && isTimestamp.at(-2) === false;
  return endsInSingle || pairs.length === 0 ? tokens : tokens.slice(0, pairs.at(-1));
}

/** Text between two timestamps. */
function segmentsOf(
  tokens: readonly RecognizedToken[],
  textOf: (ids: readonly number[]) => string,
): TimedText[] {
  const segments: TimedText[] = [];
  let start = 0;
  let ids: number[] = [];
  for (const token of tokens) {
    if (token.kind === 'text') ids.push(token.id);
    else {
      const end = samplesToSec(token.offsetSamples);
      if (ids.length > 0) segments.push({ start, end, text: textOf(ids) });
      start = end;
      ids = [];
    }
  }
  if (ids.length > 0) segments.push({ start, end: Number.POSITIVE_INFINITY, text: textOf(ids) });
  return segments;
}

/** Seconds between our starts and theirs of the words that are written the same in both. */
function startDifferences(ours: readonly TimedWord[], { greedy }: FileReference): number[] {
  const theirs = greedy.segments.filter(({ seek }) => seek === 0).flatMap(({ words }) => words);
  let next = 0;
  return theirs.flatMap(({ word, start }) => {
    const place = ours.findIndex(({ text }, i) => i >= next && i < next + 4 && text === word);
    if (place === -1) return [];
    next = place + 1;
    return [Math.abs(samplesToSec(ours[place]!.start) - start)];
  });
}

/**
 * Our text of the first 30 s, all but the last second or two of these recordings. The rest is a
 * window of its own there, whose spectrogram openai-whisper scales by the loudest frame of the file.
 */
async function recognize(
  waveform: Float32Array<ArrayBuffer>,
  recognizer: SpeechRecognizer,
  rules: DecodingRules = {},
): Promise<{ text: string; segments: TimedText[]; words: TimedWord[] }> {
  const window = waveform.slice(0, recognizer.maxWindowSamples);
  const request = { waveform: window, task: 'transcribe', language: 'en', prompt: null } as const;
  const recognition = await recognizer.recognize(
    { ...request, timestamps: true, temperature: 0, attention: true, rules },
    signal,
  );
  const textOf = (ids: readonly number[]): string => recognizer.textOf(ids);
  const segments = segmentsOf(closedPart(recognition.tokens), textOf);
  return {
    text: segments.map(({ text }) => text).join(''),
    segments,
    words: attentionWords(recognition, recognition.attention!, textOf).flat(),
  };
}

const isClose = (ours: TimedText, theirs: TimedText): boolean =>
  Math.abs(ours.start - theirs.start) <= WITHIN_40_MS &&
  Math.abs(ours.end - theirs.end) <= WITHIN_40_MS;

/** What the first windows of all real recordings are like beside openai-whisper's. */
async function compare({ recognizer }: LoadedModels) {
  const reference = readGolden<Reference>('whisper-tiny.en-reference.json');
  const files = readdirSync(sharedPath('audio/real')).filter((name) => name in reference);
  const differences: number[] = [];
  const closeSegments: boolean[] = [];
  const counts = await Promise.all(
    files.map(async (name) => {
      const { segments } = reference[name]!['greedy-context'];
      const theirs = segments.filter(({ seek }) => seek === 0);
      const ours = await recognize(await waveformOf(`real/${name}`), recognizer);
      differences.push(...startDifferences(ours.words, reference[name]!));
      closeSegments.push(...theirs.map((one) => ours.segments.some((own) => isClose(own, one))));
      return countWordErrors(theirs.map(({ text }) => text).join(''), ours.text);
    }),
  );
  const shareOf = (all: readonly boolean[]) => all.filter(Boolean).length / all.length;
  return {
    files: files.length,
    wordDifference: errorRate(sumErrors(counts)),
    segments: closeSegments.length,
    segmentsWithin40Ms: shareOf(closeSegments),
    wordStarts: differences.length,
    wordStartsWithin60Ms: shareOf(differences.map((difference) => difference <= WITHIN_60_MS)),
    meanStartMs: (1000 * differences.reduce((sum, one) => sum + one, 0)) / differences.length,
  };
}

const FLOAT = { name: 'fp32', folder: sharedPath('models/whisper-tiny.en') };
const WEIGHTS = [
  { whisper: FLOAT, limit: 0.01, segmentLimit: 0.95 },
  { whisper: WHISPER_TINY_EN, limit: 0.04, segmentLimit: 0.75 },
];

describeWithShared('beside openai-whisper', () => {
  describe.each(WEIGHTS)('$whisper.name', ({ whisper, limit, segmentLimit }) => {
    let models: LoadedModels;
    beforeAll(async () => {
      const settings = { device: 'cpu', threads: 0, computeType: 'float32', batchSize: 8 } as const;
      models = await loadModels({ ...settings, whisper }, () => {});
    });
    afterAll(() => models.close());

    test(`at most ${limit * 100} % of the words of real recordings differ, ${segmentLimit * 100} % of segments are within 40 ms and nine of ten words within 60 ms`, async () => {
      const found = await compare(models);
      process.stderr.write(`${whisper.name} ${JSON.stringify(found)}\n`);
      expect(found.files).toBeGreaterThanOrEqual(10);
      expect(found.wordDifference).toBeLessThanOrEqual(limit);
      expect(found.segments).toBeGreaterThan(40);
      expect(found.segmentsWithin40Ms).toBeGreaterThanOrEqual(segmentLimit);
      expect(found.wordStarts).toBeGreaterThan(270);
      expect(found.wordStartsWithin60Ms).toBeGreaterThanOrEqual(0.9);
      expect(found.meanStartMs).toBeLessThanOrEqual(40);
    });

    if (whisper !== FLOAT) return;

    test('numbers are spelt out where they are to be', async () => {
      const waveform = await waveformOf('real/trn03.wav');
      const usual = await recognize(waveform, models.recognizer);
      const spelt = await recognize(waveform, models.recognizer, { suppressNumerals: true });
      expect(usual.text).toMatch(/100%/);
      expect(spelt.text).not.toMatch(/[\d%]/);
      expect(spelt.text).toMatch(/hundred percent/);
    });

    test('five beams give its texts and times', async () => {
      // By bench/peers/openai_whisper_reference.py on these clips of the sample.
      const fixture = join(import.meta.dirname, '../fixtures/whisper-beam.json');
      const clips = JSON.parse(readFileSync(fixture, 'utf8')) as readonly {
        readonly startSec: number;
        readonly endSec: number;
        readonly segments: readonly TimedText[];
      }[];
      const sample = sampleWaveform();
      const ours = await Promise.all(
        clips.map(({ startSec, endSec }) =>
          recognize(sample.slice(secToSamples(startSec), secToSamples(endSec)), models.recognizer, {
            beamSize: 5,
          }),
        ),
      );
      for (const [i, { segments }] of clips.entries()) {
        expect(ours[i]!.segments.map(({ text }) => text)).toEqual(segments.map(({ text }) => text));
        for (const [j, theirs] of segments.entries()) {
          expect(isClose(ours[i]!.segments[j]!, theirs)).toBe(true);
        }
      }
    });
  });
});
