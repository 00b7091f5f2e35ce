import { describe, expect, test } from 'vitest';
import {
  countDiarizationErrors,
  diarizationErrorRate,
} from '../../../../bench/diarization-errors.ts';
import { diarize } from '../../../../pipeline/diarization/diarize.ts';
import {
  DEFAULT_DIARIZE_OPTIONS,
  type Diarization,
  type DiarizeOptions,
} from '../../../../pipeline/diarization/options.ts';
import {
  ScriptedEmbedding,
  ScriptedSegmentation,
  type ScriptedTurn,
  scriptedConversation,
} from '../../../fakes/scripted-voices.ts';

const SEC = 16_000;
const { signal } = new AbortController();
const turn = (speaker: number, startSec: number, endSec: number): ScriptedTurn => ({
  speaker,
  range: { start: startSec * SEC, end: endSec * SEC },
});
const run = (
  turns: readonly ScriptedTurn[],
  sec: number,
  options: Partial<DiarizeOptions> = {},
): Promise<Diarization> =>
  diarize(
    scriptedConversation(turns, sec * SEC),
    { segmentation: new ScriptedSegmentation(), embedding: new ScriptedEmbedding() },
    { ...DEFAULT_DIARIZE_OPTIONS, ...options },
    {},
    signal,
  );
const errorRate = (reference: readonly ScriptedTurn[], { turns }: Diarization): number =>
  diarizationErrorRate(
    countDiarizationErrors(
      reference.map(({ speaker, range }) => ({ speaker: String(speaker), range })),
      turns,
    ),
  );

/** Speaker 2 comes first; 1 and 0 talk at once for a second; two remarks of speaker 0. */
const MEETING = [
  turn(2, 1, 6),
  turn(0, 6.5, 12),
  turn(1, 11, 17),
  turn(0, 18, 19),
  turn(2, 20, 27),
  turn(0, 28, 33),
];

describe('diarization', () => {
  test('finds who speaks when, with overlap, named by first appearance', async () => {
    const result = await run(MEETING, 34);
    expect(errorRate(MEETING, result)).toBeLessThan(0.02);
    expect(result.speakers.map(({ label }) => label)).toEqual([
      'SPEAKER_00',
      'SPEAKER_01',
      'SPEAKER_02',
    ]);
    expect(result.turns.map(({ speaker }) => speaker.at(-1)).join('')).toBe('012101');
    expect([...result.speakers[0]!.embedding].map(Math.round)).toEqual([0, 0, 1, 0]);
    expect(result.speakers[1]!.totalSamples / SEC).toBeCloseTo(11.5, 0);
  });

  test('gives exclusive turns that never overlap and hold all speech', async () => {
    const { exclusiveTurns, turns } = await run(MEETING, 34);
    for (const [index, { range }] of exclusiveTurns.entries()) {
      expect(range.start).toBeGreaterThanOrEqual(exclusiveTurns[index - 1]?.range.end ?? 0);
    }
    const heard = exclusiveTurns.reduce((sum, { range }) => sum + range.end - range.start, 0);
    const spoken = turns.reduce((sum, { range }) => sum + range.end - range.start, 0);
    expect((spoken - heard) / SEC).toBeCloseTo(1, 1);
  });

  test('keeps to the number of speakers that is asked for', async () => {
    const asked = async (options: Partial<DiarizeOptions>): Promise<number> =>
      (await run(MEETING, 34, options)).speakers.length;
    expect(await asked({ numSpeakers: 2 })).toBe(2);
    expect(await asked({ maxSpeakers: 2 })).toBe(2);
    expect(await asked({ minSpeakers: 4 })).toBeGreaterThan(3);
    expect(await asked({ minSpeakers: 2, maxSpeakers: 5 })).toBe(3);
  });

  test('gives no place of two people to what only one window takes for a voice', async () => {
    /** Hears someone in the second window, where everyone else hears nobody. */
    class Dreaming extends ScriptedSegmentation {
      #windows = 0;
      override async segment(waveforms: Float32Array, stop: AbortSignal): Promise<Float32Array> {
        const scores = await super.segment(waveforms, stop);
        const size = this.framesPerWindow * this.localSpeakers;
        for (let at = 0; at < scores.length; at += size) {
          if (this.#windows++ !== 1) continue;
          for (let frame = 160; frame < 250; frame++) scores[at + 3 * frame + 2] = 0.9;
        }
        return scores;
      }
    }
    /** Two voices that are nearer to each other than either is to what is dreamt. */
    class Alike extends ScriptedEmbedding {
      override async embed(excerpts: Float32Array, stop: AbortSignal) {
        const vectors = await super.embed(excerpts, stop);
        return vectors.map(([a, b]) => Float32Array.of(a! + 0.6 * b!, 0.8 * b!, 0, 0));
      }
    }
    // Never in one window: only the number of people keeps them apart.
    const talk = [turn(0, 0, 4.5), turn(1, 13, 18), turn(0, 24, 28)];
    const { speakers, turns } = await diarize(
      scriptedConversation(talk, 29 * SEC),
      { segmentation: new Dreaming(), embedding: new Alike() },
      { ...DEFAULT_DIARIZE_OPTIONS, numSpeakers: 2 },
      {},
      signal,
    );
    expect(speakers).toHaveLength(2);
    expect(turns.map(({ speaker }) => speaker.at(-1)).join('')).toBe('010');
  });

  test('loses nobody who speaks, also where more people share a window than are allowed', async () => {
    const crowded = [turn(0, 0, 1.6), turn(1, 1.6, 3.3), turn(2, 3.3, 5)];
    for (const [turns, options] of [
      [crowded, { numSpeakers: 1 }],
      [crowded, { maxSpeakers: 2 }],
      [MEETING, { numSpeakers: 1 }],
    ] as const) {
      const { turns: heard, speakers } = await run(turns, 34, options);
      expect(speakers.length).toBeLessThanOrEqual(2);
      const someone = turns.map(({ range }) => ({ speaker: 'someone', range }));
      const anyone = heard.map(({ range }) => ({ speaker: 'someone', range }));
      const { missed, referenceSamples } = countDiarizationErrors(someone, anyone);
      expect(missed / referenceSamples).toBeLessThan(0.02);
    }
  });

  test('hears someone who never speaks alone where they speak, not in all of the window', async () => {
    const heard: number[][] = [];
    class Listening extends ScriptedEmbedding {
      override embed(excerpts: Float32Array, stop: AbortSignal) {
        for (let start = 0; start < excerpts.length; start += this.windowSamples) {
          const excerpt = excerpts.subarray(start, start + this.windowSamples);
          heard.push([1, 3].map((value) => excerpt.filter((sample) => sample === value).length));
        }
        return super.embed(excerpts, stop);
      }
    }
    await diarize(
      scriptedConversation([turn(0, 0, 10), turn(1, 4, 5.5)], 12 * SEC),
      { segmentation: new ScriptedSegmentation(), embedding: new Listening() },
      DEFAULT_DIARIZE_OPTIONS,
      {},
      signal,
    );
    const ofOverlap = heard.filter(([alone, both]) => both! > alone!);
    expect(ofOverlap.length).toBeGreaterThan(0);
    // The edge of a frame at most is the other person's alone.
    for (const [alone] of ofOverlap) expect(alone).toBeLessThan(300);
  });

  test('labels known people by name, others by number', async () => {
    const knownSpeakers = new Map([
      ['Anna', { embedding: Float32Array.of(0.28, 0.96, 0, 0), model: 'scripted' }],
      ['Nobody here', { embedding: Float32Array.of(0, 0, 0, 1), model: 'scripted' }],
    ]);
    const { speakers, embeddingModel } = await run(MEETING, 34, { knownSpeakers });
    expect(speakers.map(({ label }) => label)).toEqual(['SPEAKER_00', 'SPEAKER_01', 'Anna']);
    expect(speakers.map(({ similarity }) => similarity?.toFixed(2))).toEqual([
      ...[undefined, undefined, '0.96'],
    ]);
    expect(embeddingModel).toBe('scripted');
  });

  test('of silence, of nothing and of a short remark is well defined', async () => {
    const empty = { turns: [], exclusiveTurns: [], speakers: [], embeddingModel: 'scripted' };
    expect(await run([], 20)).toEqual(empty);
    expect(await run([], 0)).toEqual(empty);
    const short = await run([turn(1, 0.2, 1.4)], 1.5);
    expect(short.turns).toHaveLength(1);
    expect(short.turns[0]!.range.end).toBeLessThanOrEqual(1.5 * SEC);
  });

  test('reads the recording little by little and tells how far it is', async () => {
    const long = Array.from({ length: 60 }, (_, index) =>
      turn(index % 3, 10 * index, 10 * index + 9),
    );
    const waveform = scriptedConversation(long, 600 * SEC);
    const largest = { samples: 0 };
    const progress: number[] = [];
    const stages: string[] = [];
    const result = await diarize(
      {
        sampleCount: waveform.sampleCount,
        read(range) {
          largest.samples = Math.max(largest.samples, range.end - range.start);
          return waveform.read(range);
        },
      },
      { segmentation: new ScriptedSegmentation(), embedding: new ScriptedEmbedding() },
      DEFAULT_DIARIZE_OPTIONS,
      {
        onProgress: (fraction) => progress.push(fraction),
        onStage: (stage) => stages.push(stage),
      },
      signal,
    );
    expect(errorRate(long, result)).toBeLessThan(0.02);
    expect(largest.samples).toBeLessThanOrEqual(13 * SEC);
    expect(progress).toEqual(progress.toSorted((a, b) => a - b));
    expect(progress.at(-1)).toBe(1);
    expect(stages).toEqual(['speaker_segmentation', 'speaker_voices']);
  });

  test('stops when it is aborted', async () => {
    const aborted = AbortSignal.abort(new Error('enough'));
    const models = { segmentation: new ScriptedSegmentation(), embedding: new ScriptedEmbedding() };
    const waveform = scriptedConversation(MEETING, 34 * SEC);
    await expect(diarize(waveform, models, DEFAULT_DIARIZE_OPTIONS, {}, aborted)).rejects.toThrow(
      'enough',
    );
  });
});
