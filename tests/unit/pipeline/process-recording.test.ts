import { describe, expect, test } from 'vitest';
import { secToSamples } from '../../../audio/time.ts';
import { SttError } from '../../../core/errors.ts';
import type {
  AlignmentModels,
  Segment,
  SpeakerEmbeddingModel,
} from '../../../pipeline/contracts.ts';
import { DEFAULT_DIARIZE_OPTIONS } from '../../../pipeline/diarization/options.ts';
import { DEFAULT_TRANSCRIBE_OPTIONS, type TranscribeHooks } from '../../../pipeline/options.ts';
import { DEFAULT_POSTPROCESS_OPTIONS } from '../../../pipeline/postprocess/postprocess.ts';
import {
  processRecording,
  type RecordingModels,
  type RecordingOptions,
} from '../../../pipeline/process-recording.ts';
import { type RecognitionScript, ScriptedRecognizer } from '../../fakes/scripted-recognizer.ts';
import { ScriptedVoiceActivity } from '../../fakes/scripted-voice-activity.ts';
import {
  ScriptedEmbedding,
  ScriptedSegmentation,
  type ScriptedTurn,
  scriptedConversation,
} from '../../fakes/scripted-voices.ts';

const turn = (speaker: number, startSec: number, endSec: number): ScriptedTurn => ({
  speaker,
  range: { start: secToSamples(startSec), end: secToSamples(endSec) },
});
/** Each second of the ten holds a word; the second half is another person's. */
const CONVERSATION = [turn(0, 0, 5), turn(1, 5, 10)];
const WORDS = [
  'One',
  ' two',
  ' three',
  ' four',
  ' five,',
  ' six',
  ' seven',
  ' eight',
  ' nine',
  ' ten.',
];

interface Scenario {
  readonly turns?: readonly ScriptedTurn[];
  readonly script?: RecognitionScript;
  readonly options?: Partial<RecordingOptions>;
  readonly models?: Partial<RecordingModels>;
  readonly hooks?: TranscribeHooks;
}

function prepare({ turns = CONVERSATION, script, options, models, hooks = {} }: Scenario = {}) {
  const recognizer: ScriptedRecognizer = new ScriptedRecognizer(
    script ?? (() => ({ tokens: WORDS.map((word) => recognizer.textToken(word)) })),
  );
  const abort = new AbortController();
  const waveform = scriptedConversation(turns, secToSamples(10));
  const run = () =>
    processRecording(
      waveform,
      {
        transcribe: { ...DEFAULT_TRANSCRIBE_OPTIONS, language: 'en', wordTimes: true },
        diarize: DEFAULT_DIARIZE_OPTIONS,
        postprocess: DEFAULT_POSTPROCESS_OPTIONS,
        ...options,
      },
      {
        recognizer,
        voiceActivity: new ScriptedVoiceActivity([{ start: 0, end: secToSamples(10) }]),
        segmentation: new ScriptedSegmentation(),
        embedding: new ScriptedEmbedding(),
        ...models,
      },
      hooks,
      abort.signal,
    );
  return { abort, recognizer, run };
}

const linesOf = (segments: readonly Segment[]) =>
  segments.map(({ speaker, text }) => [speaker, text]);
const SPLIT = [
  ['SPEAKER_00', 'One two three four five,'],
  ['SPEAKER_01', 'six seven eight nine ten.'],
];

class DeafEmbedding extends ScriptedEmbedding {
  override embed(): Promise<never> {
    return Promise.reject(new SttError('GPU_OUT_OF_MEMORY', 'no room'));
  }
}

/** Hears nothing until it is told to stop. */
class WaitingEmbedding extends ScriptedEmbedding {
  stopped: unknown;
  isAsked = false;
  override embed(_excerpts: Float32Array, signal: AbortSignal): Promise<never> {
    this.isAsked = true;
    return new Promise((_, reject) => {
      signal.addEventListener('abort', () => {
        this.stopped = signal.reason;
        reject(signal.reason);
      });
    });
  }
}

describe('processing a recording', () => {
  test('finds words and speakers, and splits a segment where the speaker changes', async () => {
    const stages: string[] = [];
    const fractions: number[] = [];
    const { run } = prepare({
      hooks: {
        onStage: (stage) => stages.push(stage),
        onProgress: (fraction) => fractions.push(fraction),
      },
    });
    const { segments, speakers, warnings } = await run();
    expect(linesOf(segments)).toEqual(SPLIT);
    expect(segments.flatMap(({ words }) => words).map(({ speaker }) => speaker)).toEqual([
      ...Array.from({ length: 5 }, () => 'SPEAKER_00'),
      ...Array.from({ length: 5 }, () => 'SPEAKER_01'),
    ]);
    expect(speakers.map(({ label }) => label)).toEqual(['SPEAKER_00', 'SPEAKER_01']);
    expect(warnings).toEqual([]);
    expect(stages).toEqual(
      expect.arrayContaining(['vad', 'recognize', 'speaker_segmentation', 'speaker_voices']),
    );
    expect(fractions).toEqual(fractions.toSorted((a, b) => a - b));
    expect(fractions.at(-1)).toBe(1);
  });

  test('hears speakers while the words are still being recognised', async () => {
    let heard: () => void = () => {};
    const embedded = new Promise<void>((resolve) => {
      heard = resolve;
    });
    const embedding = new ScriptedEmbedding();
    const listening: SpeakerEmbeddingModel = {
      name: embedding.name,
      windowSamples: embedding.windowSamples,
      knownSpeaker: embedding.knownSpeaker,
      dimensions: embedding.dimensions,
      sameSpeaker: embedding.sameSpeaker,
      batchSize: embedding.batchSize,
      embed: (excerpts, signal) => {
        heard();
        return embedding.embed(excerpts, signal);
      },
    };
    const { run } = prepare({
      models: { embedding: listening },
      script: async () => {
        await embedded;
        return { text: 'Late.' };
      },
    });
    expect((await run()).segments).toHaveLength(1);
  });

  test('gives the transcript with a warning when only the speakers cannot be told apart', async () => {
    const { run } = prepare({ models: { embedding: new DeafEmbedding() } });
    const { segments, speakers, warnings } = await run();
    expect(linesOf(segments)).toEqual([[undefined, WORDS.join('')]]);
    expect(speakers).toEqual([]);
    expect(warnings).toEqual([
      {
        code: 'DIARIZATION_FAILED',
        message: 'Speakers could not be told apart (GPU_OUT_OF_MEMORY)',
      },
    ]);
  });

  test('stops listening for speakers when the words fail', async () => {
    const embedding = new WaitingEmbedding();
    const failure = new SttError('ENGINE_CRASHED', 'gone');
    const { run } = prepare({
      models: { embedding },
      script: async () => {
        await expect.poll(() => embedding.isAsked).toBe(true);
        throw failure;
      },
    });
    await expect(run()).rejects.toBe(failure);
    expect(embedding.stopped).toBe(failure);
  });

  test('stops both when the job is cancelled', async () => {
    const embedding = new WaitingEmbedding();
    const { abort, run } = prepare({ models: { embedding } });
    const running = run();
    setImmediate(() => abort.abort(new Error('enough')));
    await expect(running).rejects.toThrow('enough');
  });

  test('gives words that the segmentation did not hear to one speaker', async () => {
    const { segments } = await prepare({ turns: [] }).run();
    expect(linesOf(segments)).toEqual([['SPEAKER_00', WORDS.join('')]]);
  });

  test('refuses known voices of another size before it listens', async () => {
    const embedding = Float32Array.of(0, 1);
    const knownSpeakers = new Map([['Anna', { embedding, model: 'scripted' }]]);
    const { recognizer, run } = prepare({
      options: { diarize: { ...DEFAULT_DIARIZE_OPTIONS, knownSpeakers } },
    });
    await expect(run()).rejects.toMatchObject({
      code: 'INPUT_INVALID',
      message: 'known_speakers: expected 4 numbers each, found 2',
    });
    expect(recognizer.requests).toEqual([]);
  });

  test.each([
    ['with speakers', DEFAULT_DIARIZE_OPTIONS],
    ['without', null],
  ])('hands on the segments of the result, %s', async (_name, diarize) => {
    const handedOn: Segment[] = [];
    const { run } = prepare({
      options: { diarize, postprocess: { ...DEFAULT_POSTPROCESS_OPTIONS, numbers: 'digits' } },
      hooks: { onSegments: (segments) => handedOn.push(...segments) },
    });
    const { segments } = await run();
    expect(handedOn).toEqual(segments);
    expect(segments.length).toBeGreaterThan(0);
  });

  test('hands segments on as they come where no model will move their words', async () => {
    const handedOn: number[] = [];
    const alignmentModels: AlignmentModels = {
      supports: (language) => language === 'ko',
      forLanguage: () => Promise.resolve(null),
    };
    const runIn = async (language: string): Promise<number> => {
      let isDone = false;
      const before = handedOn.length;
      const { run } = prepare({
        models: { alignmentModels },
        options: {
          diarize: null,
          transcribe: { ...DEFAULT_TRANSCRIBE_OPTIONS, language, wordTimes: true },
        },
        hooks: {
          onSegments: () => handedOn.push(Number(isDone)),
          onStage: (stage) => {
            isDone ||= stage === 'align';
          },
        },
      });
      await run();
      expect(handedOn.length - before).toBeGreaterThan(0);
      return handedOn.at(-1)!;
    };
    expect(await runIn('en')).toBe(0);
    expect(await runIn('ko')).toBe(1);
  });

  test.each([
    ['zh', undefined, '软体'],
    ['zh', 'traditional', '軟體'],
    [null, undefined, '软体'],
    [null, 'keep', '軟体'],
  ] as const)(
    'Chinese, given as %s and asked for in the script %s, is %s in every segment and word',
    async (language, chineseScript, written) => {
      const handedOn: Segment[] = [];
      const recognizer = new ScriptedRecognizer(() => ({ text: '軟体', language: 'zh' }), {
        languages: ['en', 'zh'],
      });
      const { run } = prepare({
        models: { recognizer },
        options: {
          transcribe: { ...DEFAULT_TRANSCRIBE_OPTIONS, language, wordTimes: true },
          diarize: null,
          ...(chineseScript && { chineseScript }),
        },
        hooks: { onSegments: (segments) => handedOn.push(...segments) },
      });
      const { segments } = await run();
      expect(segments.map(({ text }) => text)).toEqual([written]);
      expect(segments[0]!.words.map(({ text }) => text).join('')).toBe(written);
      expect(handedOn).toEqual(segments);
    },
  );
});
