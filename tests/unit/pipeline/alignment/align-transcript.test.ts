import { describe, expect, test } from 'vitest';
import { SttError } from '../../../../core/errors.ts';
import { alignTranscript } from '../../../../pipeline/alignment/align-transcript.ts';
import type {
  AlignmentModel,
  AlignmentModels,
  Segment,
  Transcript,
} from '../../../../pipeline/contracts.ts';

const { signal } = new AbortController();
const SEC = 16_000;
const SCHEDULING = { priority: 'file', tenant: null } as const;

/** Knows some letters, and hears them spread evenly over whatever it is given. */
function modelOf(letters: string, heard = letters): AlignmentModel {
  const classes = letters.length + 2;
  return {
    vocabulary: {
      classOf: new Map([...letters].map((letter, index) => [letter, index + 2])),
      blankId: 0,
      delimiterId: 1,
    },
    samplesPerFrame: 320,
    receptiveFieldSamples: 400,
    maxWindowSamples: 40 * SEC,
    batchSize: 1,
    emissions: (waveform) => {
      const frames = Math.floor((waveform.length - 400) / 320) + 1;
      const logProbs = new Float32Array(frames * classes).fill(Math.log(1e-6));
      for (let frame = 0; frame < frames; frame++) {
        const letter = heard[Math.floor((frame * heard.length) / frames)]!;
        logProbs[frame * classes + (letters.indexOf(letter) + 2)] = Math.log(0.9);
      }
      return Promise.resolve({ logProbs, frames, classes });
    },
  };
}

function modelsFor(byLanguage: Readonly<Record<string, AlignmentModel | Error>>) {
  const asked: [string, AbortSignal][] = [];
  const models: AlignmentModels = {
    supports: (language) => language in byLanguage,
    forLanguage: (language, stop) => {
      asked.push([language, stop]);
      const model = byLanguage[language] ?? null;
      return model instanceof Error ? Promise.reject(model) : Promise.resolve(model);
    },
  };
  return { asked, models };
}

const segment = (text: string, startSec: number, language?: string): Segment => {
  const range = { start: startSec * SEC, end: (startSec + 2) * SEC };
  const words =
    text === '' ? [] : text.split(' ').map((word) => ({ text: word, range, confidence: 1 }));
  return {
    ...{ text, range, words, confidence: 1, avgLogProb: -0.1, noSpeechProb: 0 },
    ...{ compressionRatio: 1, temperature: 0, ...(language !== undefined && { language }) },
  };
};
const transcriptOf = (segments: readonly Segment[]): Transcript => ({
  ...{ segments, language: 'en', languageProbability: 1, audioSamples: 60 * SEC, modelName: 'm' },
  ...{ alignment: 'attention', warnings: [], decodedRows: 1 },
});
const waveform = {
  sampleCount: 60 * SEC,
  read: ({ start, end }: { start: number; end: number }) =>
    Promise.resolve(new Float32Array(end - start)),
};
const align = (
  segments: readonly Segment[],
  models: AlignmentModels,
  alignment: 'auto' | 'ctc' = 'auto',
): Promise<Transcript> =>
  alignTranscript(
    transcriptOf(segments),
    waveform,
    models,
    { alignment, scheduling: SCHEDULING },
    signal,
  );

describe('aligning a transcript', () => {
  test('hears each segment in its own language, and the others in the transcript’s', async () => {
    const { asked, models } = modelsFor({ en: modelOf('ab'), ko: modelOf('가나') });
    const segments = [segment('a b', 0), segment('가 나', 3, 'ko'), segment('b', 6, 'en')];
    const { segments: aligned, alignment, warnings } = await align(segments, models);
    expect(asked.map(([language]) => language)).toEqual(['en', 'ko']);
    expect(asked.every(([, stop]) => stop === signal)).toBe(true);
    expect([alignment, warnings]).toEqual(['ctc', []]);
    for (const [index, found] of aligned.entries()) {
      expect(found).not.toBe(segments[index]);
      expect(found.words.map(({ text }) => text)).toEqual(
        segments[index]!.words.map(({ text }) => text),
      );
    }
    const [first, second] = aligned[1]!.words;
    expect(first!.range.end).toBeLessThanOrEqual(second!.range.start);
  });

  test('counts the segments that kept the words of attention, and says where', async () => {
    const { models } = modelsFor({ en: modelOf('abz', 'ab') });
    const segments = [segment('a b', 0), segment('z z z', 3), segment('', 6), segment('a', 9)];
    const { segments: aligned, alignment, warnings } = await align(segments, models);
    expect(alignment).toBe('ctc');
    expect(aligned[1]).toBe(segments[1]);
    expect(warnings).toEqual([
      {
        code: 'ALIGNMENT_PARTIAL',
        message: expect.stringContaining('attention'),
        count: 1,
        ranges: [segments[1]!.range],
      },
    ]);
  });

  test('says so when a language of several has no model, or its model fails', async () => {
    const { models } = modelsFor({
      en: modelOf('ab'),
      ko: new SttError('MODEL_DOWNLOAD_FAILED', 'gone'),
    });
    const segments = [segment('a', 0), segment('가', 3, 'ko'), segment('x', 6, 'xx')];
    const { alignment, warnings } = await align(segments, models, 'ctc');
    expect(alignment).toBe('ctc');
    expect(warnings.map(({ code, message }) => [code, /\((.*)\)/.exec(message)?.[1]])).toEqual([
      ['ALIGNMENT_UNAVAILABLE', 'MODEL_DOWNLOAD_FAILED'],
      ['ALIGNMENT_UNAVAILABLE', 'no model'],
    ]);
  });
});
