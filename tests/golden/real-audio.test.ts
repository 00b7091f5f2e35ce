import { readdirSync } from 'node:fs';
import { afterAll, expect, test } from 'vitest';
import { openAudio } from '../../audio/open-audio.ts';
import { samplesToSec } from '../../audio/time.ts';
import { countWordErrors, errorRate, sumErrors } from '../../bench/word-errors.ts';
import { loadConfig } from '../../core/config.ts';
import { EMBEDDED_WHISPER, loadModels } from '../../models/load-models.ts';
import { attentionWords } from '../../pipeline/alignment/attention-words.ts';
import type { TimedWord } from '../../pipeline/alignment/timed-word.ts';
import type { RecognizedToken, SpeechRecognizer } from '../../pipeline/contracts.ts';
import { describeWithShared, readGolden, sharedPath } from './shared-data.ts';

interface ReferenceSegment {
  /** First mel frame (10 ms) of the window that the segment comes from. */
  readonly seek: number;
  readonly text: string;
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
async function firstWindow(
  waveform: Float32Array<ArrayBuffer>,
  recognizer: SpeechRecognizer,
): Promise<{ text: string; words: TimedWord[] }> {
  const window = waveform.slice(0, recognizer.maxWindowSamples);
  const request = { waveform: window, task: 'transcribe', language: 'en', prompt: null } as const;
  const recognition = await recognizer.recognize(
    { ...request, timestamps: true, temperature: 0, attention: true },
    signal,
  );
  const textOf = (ids: readonly number[]): string => recognizer.textOf(ids);
  const kept = closedPart(recognition.tokens);
  return {
    text: textOf(kept.flatMap((token) => (token.kind === 'text' ? [token.id] : []))),
    words: attentionWords(recognition, recognition.attention!, textOf).flat(),
  };
}

describeWithShared('greedy text of real recordings', () => {
  const full = { name: 'fp32', folder: sharedPath('models/whisper-tiny.en') };
  const table: string[] = [];
  afterAll(() => {
    process.stderr.write(`word difference to openai-whisper\n${table.join('\n')}\n`);
  });

  for (const { whisper, limit } of [
    { whisper: full, limit: 0.02 },
    { whisper: EMBEDDED_WHISPER, limit: 0.04 },
  ]) {
    test(`${whisper.name} differs from openai-whisper in at most ${limit * 100} % of the words, and nine of ten start within 60 ms`, async () => {
      const reference = readGolden<Reference>('whisper-tiny.en-reference.json');
      const settings = { device: 'cpu', threads: 0, computeType: 'float32', batchSize: 8 } as const;
      const models = await loadModels({ ...settings, whisper }, () => {});
      const files = readdirSync(sharedPath('audio/real')).filter((name) => name in reference);
      const differences: number[] = [];
      const counts = await Promise.all(
        files.map(async (name) => {
          const { segments } = reference[name]!['greedy-context'];
          const theirs = segments.filter(({ seek }) => seek === 0).map(({ text }) => text);
          const ours = await firstWindow(await waveformOf(`real/${name}`), models.recognizer);
          const errors = countWordErrors(theirs.join(''), ours.text);
          differences.push(...startDifferences(ours.words, reference[name]!));
          table.push(`${whisper.name} ${name}: ${(100 * errorRate(errors)).toFixed(1)} %`);
          return errors;
        }),
      );
      await models.close();
      const total = errorRate(sumErrors(counts));
      table.push(`${whisper.name} in all: ${(100 * total).toFixed(2)} %`);
      const close = differences.filter((difference) => difference <= 0.0601).length;
      const mean =
        differences.reduce((sum, difference) => sum + difference, 0) / differences.length;
      const [closeShare, meanMs] = [close / differences.length, 1000 * mean];
      table.push(
        `${whisper.name} word starts: ${differences.length} compared, ${(100 * closeShare).toFixed(1)} % within 60 ms, mean ${meanMs.toFixed(1)} ms`,
      );
      expect(files.length).toBeGreaterThanOrEqual(10);
      expect(total).toBeLessThanOrEqual(limit);
      expect(differences.length).toBeGreaterThan(280);
      expect(closeShare).toBeGreaterThanOrEqual(0.9);
      expect(meanMs).toBeLessThanOrEqual(40);
    }, 120_000);
  }
});
