import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { joinTexts } from '../../../handler/languages.ts';
import { type JobResult, toJobResult } from '../../../handler/result.ts';
import { parseJobInput } from '../../../handler/schema.ts';
import { alignTranscript } from '../../../pipeline/alignment/align-transcript.ts';
import type { AlignmentModel, Segment, Transcript } from '../../../pipeline/contracts.ts';
import type { SpeakerTurn } from '../../../pipeline/diarization/options.ts';
import { finishSegments } from '../../../pipeline/finish-segments.ts';
import { DEFAULT_POSTPROCESS_OPTIONS } from '../../../pipeline/postprocess/postprocess.ts';

const { signal } = new AbortController();
const SEC = 16_000;
/** Coarse, so that thousands of cases take seconds. */
const FRAME = 1280;
const LETTERS = 'abcdefghijklmnopqrstuvwxyz가나다라마바사아자차카타파하';

/** Pseudorandom in [0, 1). */
function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
}

/** Hears anything anywhere, and some texts not at all. */
function modelOf(random: () => number): AlignmentModel {
  const classes = LETTERS.length + 2;
  return {
    vocabulary: {
      classOf: new Map([...LETTERS].map((letter, index) => [letter, index + 2])),
      ...{ blankId: 0, delimiterId: 1 },
    },
    ...{ samplesPerFrame: FRAME, receptiveFieldSamples: FRAME, maxWindowSamples: 40 * SEC },
    batchSize: 1,
    emissions: (waveform) => {
      const frames = Math.max(1, Math.floor(waveform.length / FRAME));
      const logProbs = Float32Array.from({ length: frames * classes }, () =>
        Math.log(0.005 + random()),
      );
      return Promise.resolve({ logProbs, frames, classes });
    },
  };
}

const LANGUAGES = ['en', 'ko', 'ja'] as const;
const WORDS = {
  en: ['yes', 'well', 'and', 'so', "it's", 'café', '23', 'um', 'thirty', 'five'],
  ko: ['네', '그래서', '저는', '학교', '에', '삼십오', '명', '음', '갔습니다', 'AI'],
  ja: ['はい', '今日', '東京', 'と', '二十', '。'],
} as const;
const spokenWord = fc.record({
  pick: fc.nat(9),
  mark: fc.constantFrom('', '', '', ',', '.', '?'),
  gapMs: fc.integer({ min: 0, max: 400 }),
  lengthMs: fc.integer({ min: 5, max: 700 }),
});
const spokenSegment = fc.record({
  language: fc.constantFrom(...LANGUAGES, null),
  words: fc.array(spokenWord, { minLength: 1, maxLength: 9 }),
  hasWords: fc.boolean(),
  gapMs: fc.integer({ min: 0, max: 3000 }),
});
const scenario = fc.record({
  language: fc.constantFrom(...LANGUAGES),
  segments: fc.array(spokenSegment, { minLength: 1, maxLength: 5 }),
  turns: fc.array(
    fc.record({
      speaker: fc.constantFrom('SPEAKER_00', 'SPEAKER_01', 'Anna'),
      gapMs: fc.integer({ min: 0, max: 2500 }),
      lengthMs: fc.integer({ min: 50, max: 6000 }),
    }),
    { maxLength: 8 },
  ),
  seed: fc.integer({ min: 1, max: 1e6 }),
  isAligned: fc.boolean(),
  tailMs: fc.integer({ min: 0, max: 800 }),
  rewriting: fc.record({
    numbers: fc.constantFrom('keep', 'digits', 'words'),
    removeFillers: fc.boolean(),
    collapseRepeats: fc.boolean(),
    punctuate: fc.boolean(),
    splitSentences: fc.boolean(),
  }),
  isRewritten: fc.boolean(),
});
type Scenario = typeof scenario extends fc.Arbitrary<infer Value> ? Value : never;

const samples = (ms: number): number => Math.round((ms * SEC) / 1000);

/** What a recogniser gives: segments in order, their words inside of them. */
function transcriptOf({ language, segments, tailMs }: Scenario): Transcript {
  let at = 0;
  const spoken = segments.map(({ language: own, words, hasWords, gapMs }): Segment => {
    const code = own ?? language;
    const start = at + samples(gapMs);
    at = start;
    const timed = words.map(({ pick, mark, gapMs: pause, lengthMs }) => {
      const range = { start: at + samples(pause), end: at + samples(pause + lengthMs) };
      at = range.end;
      return { text: WORDS[code][pick % WORDS[code].length]! + mark, range, confidence: 0.8 };
    });
    const text = timed.map((word) => word.text).join(code === 'ja' ? '' : ' ');
    return {
      ...{ text, range: { start, end: at }, words: hasWords ? timed : [], confidence: 0.9 },
      ...{ avgLogProb: -0.1, noSpeechProb: 0, compressionRatio: 1, temperature: 0 },
      ...(own !== null && { language: own }),
    };
  });
  return {
    ...{ segments: spoken, language, languageProbability: 1, audioSamples: at + samples(tailMs) },
    ...{ modelName: 'm', alignment: 'attention', warnings: [], decodedRows: 1 },
  };
}

function turnsOf({ turns }: Scenario): SpeakerTurn[] {
  let at = 0;
  return turns.map(({ speaker, gapMs, lengthMs }) => {
    const range = { start: at + samples(gapMs), end: at + samples(gapMs + lengthMs) };
    at = range.end;
    return { speaker, range };
  });
}

async function resultOf(generated: Scenario): Promise<{ result: JobResult; before: Transcript }> {
  const before = transcriptOf(generated);
  const model = modelOf(randomNumbers(generated.seed));
  const aligned = await alignTranscript(
    before,
    {
      sampleCount: before.audioSamples,
      read: ({ start, end }) => {
        if (start < 0 || end > before.audioSamples) throw new RangeError('Outside the recording');
        return Promise.resolve(new Float32Array(end - start));
      },
    },
    {
      supports: () => true,
      forLanguage: () => Promise.resolve(generated.isAligned ? model : null),
    },
    { alignment: 'auto', scheduling: { priority: 'file', tenant: null } },
    signal,
  );
  const turns = turnsOf(generated);
  const segments = finishSegments(aligned.segments, turns, {
    writtenLanguage: null,
    spokenLanguage: generated.language,
    writeChinese: (segment) => segment,
    postprocess: {
      ...DEFAULT_POSTPROCESS_OPTIONS,
      ...(generated.isRewritten ? generated.rewriting : {}),
    },
  });
  const input = parseJobInput({ audio_url: 'https://example.com/a.wav' });
  const transcript = { ...aligned, segments, turns, speakers: [], embeddingModel: null };
  return { before, result: toJobResult(transcript, input, { totalMs: 0, stagesMs: {} }) };
}

const bare = (text: string): string => text.replaceAll(/\s/g, '');

function expectSpeakersToHoldTheText({ result, before }: Awaited<ReturnType<typeof resultOf>>) {
  const parts = new Map(
    Object.entries(result.speakers).map(([name, { text_parts }]) => [name, [...text_parts]]),
  );
  if (parts.size > 0) {
    const inOrder = result.segments.map(({ speaker }) => parts.get(speaker!)!.shift()!);
    expect(joinTexts(inOrder, before.language)).toBe(result.transcript);
    expect([...parts.values()].flat()).toEqual([]);
  }
  expect(bare(result.transcript)).toBe(bare(result.segments.map(({ text }) => text).join('')));
}

/** Compared once: an `expect` for each word would be most of the test's time. */
function expectTimesInOrder({ segments, audio_duration }: JobResult) {
  const wrong: unknown[] = [];
  const check = (isRight: boolean, what: unknown): void => {
    if (!isRight) wrong.push(what);
  };
  let segmentEnd = 0;
  for (const segment of segments) {
    const { start, end, words = [] } = segment;
    check(start >= segmentEnd && end >= start, segment);
    let wordEnd = start;
    for (const word of words) {
      check(word.start >= wordEnd && word.end >= word.start && word.end <= end, word);
      wordEnd = word.end;
    }
    segmentEnd = end;
  }
  check(segmentEnd <= audio_duration, audio_duration);
  expect(wrong).toEqual([]);
}

describe('whatever is said, aligned, assigned and repaired', () => {
  test('each segment is repaired by the rules of its own language', () => {
    const segmentOf = (text: string, language?: string): Segment => ({
      ...{ text, range: { start: 0, end: SEC }, words: [], confidence: 1, avgLogProb: 0 },
      ...{ noSpeechProb: 0, compressionRatio: 1, temperature: 0, ...(language && { language }) },
    });
    const spoken = [segmentOf('삼십오 퍼센트', 'ko'), segmentOf('thirty five percent')];
    const postprocess = { ...DEFAULT_POSTPROCESS_OPTIONS, numbers: 'digits' as const };
    const asked = {
      spokenLanguage: 'en',
      postprocess,
      writeChinese: (segment: Segment) => segment,
    };
    const textsOf = (writtenLanguage: string | null): string[] =>
      finishSegments(spoken, [], { ...asked, writtenLanguage }).map(({ text }) => text);
    expect(textsOf(null)).toEqual(['35%', '35%']);
    expect(textsOf('en')).toEqual(['삼십오 퍼센트', '35%']);
  });

  test('speakers’ parts are the transcript; words are ordered, inside segments and the audio', async () => {
    const seen = { aligned: 0, split: 0, speakers: 0 };
    await fc.assert(
      fc.asyncProperty(scenario, async (generated) => {
        const found = await resultOf(generated);
        const { result, before } = found;
        expectSpeakersToHoldTheText(found);
        expectTimesInOrder(result);
        if (!generated.isRewritten) {
          const spoken = before.segments.map(({ text }) => text).join('');
          expect(bare(result.transcript)).toBe(bare(spoken));
        }
        seen.aligned += Number(result.alignment === 'ctc');
        seen.split += Number(result.total_segments > before.segments.length);
        seen.speakers += Number(result.total_speakers > 1);
      }),
      { numRuns: 2000, seed: 17 },
    );
    for (const count of Object.values(seen)) expect(count).toBeGreaterThan(150);
  });
});
