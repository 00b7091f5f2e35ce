import { afterAll, beforeAll, expect, test } from 'vitest';
import type { TensorMap } from '../../models/engine/protocol.ts';
import { Weights } from '../../models/graph/weights.ts';
import { beamGraph } from '../../models/whisper/beam-graph.ts';
import { readWhisperCheckpoint, type WhisperCheckpoint } from '../../models/whisper/checkpoint.ts';
import { decodeFeeds } from '../../models/whisper/decode-feeds.ts';
import { searchedRows } from '../../models/whisper/decoded-rows.ts';
import { decodingKind } from '../../models/whisper/decoding-kind.ts';
import { rowPrompt } from '../../models/whisper/row-prompt.ts';
import type { DecodingRules } from '../../pipeline/contracts.ts';
import { beamSearch, type OracleRules } from './beam-oracle.ts';
import { encodedNoise as encoded, POSITIONS } from './encoded-noise.ts';
import { GraphRunner } from './run-graph.ts';
import { describeWithShared, largestDifference, sharedPath } from './shared-data.ts';
import { StepScores } from './step-scores.ts';

const MAX_TOKENS = 14;

describeWithShared('beam search of a multilingual checkpoint with random weights', () => {
  let checkpoint: WhisperCheckpoint;
  let steps: StepScores;
  let graph: GraphRunner;

  beforeAll(async () => {
    checkpoint = await readWhisperCheckpoint(sharedPath('models/whisper-random-multilingual'));
    const weights = new Weights(checkpoint.tensors, {
      computeType: 'float32',
      expandQuantized: () => false,
    });
    steps = await StepScores.load(weights, checkpoint);
    graph = await GraphRunner.load((outer) => {
      const audio = outer.input('audio', 'float32', ['windows', POSITIONS, checkpoint.dModel]);
      beamGraph(outer, weights, checkpoint, audio);
    });
  });

  afterAll(async () => {
    await steps.release();
    await graph.release();
  });

  /** Random weights never end by themselves: the end of text gets this much more score. */
  async function compare(rules: DecodingRules, timestamps: boolean, endBonus: number) {
    const { tokens, dModel } = checkpoint;
    const audio = [encoded(dModel, 0.1), encoded(dModel, 2.5)];
    const previous = [[], [11, 500, 33, 4000]];
    const requests = audio.map(() => ({
      waveform: new Float32Array(480_000),
      task: 'transcribe' as const,
      language: 'ko',
      timestamps,
      temperature: 0,
      prompt: null,
      rules,
    }));
    const prompts = requests.map((request, i) => rowPrompt(checkpoint, request, previous[i]!));
    const kind = decodingKind(requests[0]!, []);
    const feeds = decodeFeeds(checkpoint, requests, prompts, { kind });
    const bias = (feeds['text_bias']!.data as Float32Array<ArrayBuffer>).slice();
    bias[tokens.endOfText] = endBonus;
    const outputs = await graph.run({
      ...feeds,
      audio: {
        type: 'float32',
        data: Float32Array.from(audio.flatMap((values) => [...values])),
        dims: [2, POSITIONS, dModel],
      },
      text_bias: { type: 'float32', data: bias, dims: [1, bias.length] },
      max_tokens: { type: 'int64', data: BigInt64Array.of(BigInt(MAX_TOKENS)), dims: [] },
      token_limits: { type: 'int64', data: BigInt64Array.of(14n, 9n), dims: [2, 1] },
    });
    const rows = searchedRows(outputs as unknown as TensorMap, tokens.endOfText);
    const oracle: OracleRules = {
      tokens,
      suppress: [...checkpoint.controlTokens, ...checkpoint.suppressTokens],
      suppressFirst: checkpoint.beginSuppressTokens,
      timestamps,
      maxInitialTimestamp: checkpoint.maxInitialTimestamp,
      repetitionPenalty: kind.repetitionPenalty,
      noRepeatNgramSize: kind.noRepeatNgramSize,
    };
    for (const [window, row] of rows.entries()) {
      const { prompt, task } = prompts[window]!;
      const scores = steps.after([...prompt, ...task], audio[window]!);
      const boosted = async (sequences: readonly (readonly number[])[]) => {
        const all = await scores(sequences);
        for (const one of all) one[tokens.endOfText]! += endBonus;
        return all;
      };
      const expected = await beamSearch(boosted, oracle, {
        beams: kind.rowsPerWindow,
        patience: kind.patience,
        lengthPenalty: kind.lengthPenalty,
        maxTokens: [14, 9][window]!,
      });
      expect(row.ids).toEqual(expected.ids);
      expect(row.sumLogProb).toBeCloseTo(expected.sum, 2);
      const logProbs = expected.logProbs.slice(0, row.ids.length);
      expect(largestDifference(row.logProbs, logProbs)).toBeLessThanOrEqual(1e-2);
    }
    return rows;
  }

  test('two windows of unequal prompts and limits equal a search written from its definition', async () => {
    const rows = await compare({ beamSize: 5 }, false, 2);
    expect(rows.some(({ ids }) => ids.length < 9)).toBe(true);
  });

  test('the timestamp rules hold for every beam', async () => {
    const rows = await compare({ beamSize: 3 }, true, 3);
    for (const { ids } of rows)
      expect(ids[0]).toBeGreaterThanOrEqual(checkpoint.tokens.timestampsStart);
  });

  test('patience and length penalty choose as they should', async () => {
    await compare({ beamSize: 2, patience: 2.5, lengthPenalty: 1.4 }, false, 2.5);
  });

  test('eight beams without an end are cut at the limit, with no cycle and no second pair', async () => {
    const rows = await compare(
      { beamSize: 8, repetitionPenalty: 1.3, noRepeatNgramSize: 2 },
      false,
      -30,
    );
    expect(rows.map(({ ids }) => ids.length)).toEqual([14, 9]);
  });
});
