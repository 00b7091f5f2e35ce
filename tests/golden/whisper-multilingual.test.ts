import { expect, test } from 'vitest';
import type { TensorMap } from '../../models/engine/protocol.ts';
import { Weights } from '../../models/graph/weights.ts';
import { readWhisperCheckpoint } from '../../models/whisper/checkpoint.ts';
import { decodeFeeds } from '../../models/whisper/decode-feeds.ts';
import { decodeGraph } from '../../models/whisper/decode-graph.ts';
import { decodedRows } from '../../models/whisper/decoded-rows.ts';
import { encoder } from '../../models/whisper/encoder.ts';
import { rowPrompt } from '../../models/whisper/row-prompt.ts';
import type { SpecialTokens } from '../../models/whisper/special-tokens.ts';
import { MEL_FRAMES as FRAMES, goldenFeatures, RANDOM_MELS as MELS } from './golden-features.ts';
import { GraphRunner, rowOf, runGraph } from './run-graph.ts';
import { describeWithShared, largestDifference, readGolden, sharedPath } from './shared-data.ts';

interface MultilingualGolden {
  readonly phase: number;
  readonly encoder_rows: Record<string, number[]>;
  readonly language_top5: [number, number][][];
  readonly prompt: number[];
  readonly tokens: number[][];
  readonly logprobs: number[][];
}

/** Far below any score: the golden run suppresses the end of text. */
const SUPPRESSED = -1e30;

describeWithShared('a multilingual checkpoint with random weights', () => {
  test('40 of 40 tokens of both rows, the encoder and the languages equal transformers', async () => {
    const golden = readGolden<MultilingualGolden>('whisper-random-multilingual.json');
    const checkpoint = await readWhisperCheckpoint(
      sharedPath('models/whisper-random-multilingual'),
    );
    const weights = new Weights(checkpoint.tensors, {
      computeType: 'float32',
      expandQuantized: () => false,
    });
    const request = {
      waveform: new Float32Array(480_000),
      task: 'transcribe',
      language: 'ko',
      timestamps: false,
      temperature: 0,
      prompt: null,
    } as const;
    const prompt = rowPrompt(checkpoint, request, []);
    expect([...prompt.prompt, ...prompt.task]).toEqual(golden.prompt);
    const feeds = decodeFeeds(checkpoint, [request, request], [prompt, prompt]);
    // The golden run knows no rule of openai-whisper's, only the checkpoint's list and no end.
    const bias = new Float32Array(checkpoint.tokens.timestampsStart);
    for (const id of [1, 2, 7, 8, 9, 10, 14, 25]) bias[id] = SUPPRESSED;
    bias[checkpoint.tokens.endOfText] = SUPPRESSED;
    const begin = new Float32Array(bias.length);
    begin[220] = SUPPRESSED;
    const outputs = await runGraph(
      (graph) => {
        const features = graph.input('features', 'float32', ['batch', MELS, FRAMES]);
        const audio = encoder(graph, weights, checkpoint, features);
        graph.output('encoder', audio, 'float32', ['batch', 1500, 64]);
        decodeGraph(graph, weights, checkpoint, audio);
      },
      {
        ...feeds,
        features: { type: 'float32', data: goldenFeatures(golden.phase), dims: [2, MELS, FRAMES] },
        text_bias: { type: 'float32', data: bias, dims: [1, bias.length] },
        begin_bias: { type: 'float32', data: begin, dims: [1, begin.length] },
        max_tokens: { type: 'int64', data: BigInt64Array.of(40n), dims: [] },
        token_limits: { type: 'int64', data: BigInt64Array.of(40n, 40n), dims: [2, 1] },
      },
    );
    for (const [row, expected] of Object.entries(golden.encoder_rows)) {
      const actual = rowOf(outputs['encoder']!, Number(row)).slice(0, expected.length);
      expect(largestDifference(actual, expected)).toBeLessThanOrEqual(1e-3);
    }
    // The end of text is suppressed, so that a row is as long as it may be.
    const rows = decodedRows(outputs as unknown as TensorMap, checkpoint.tokens.endOfText);
    for (const [row, { ids, logProbs }] of rows.entries()) {
      expect(ids).toEqual(golden.tokens[row]);
      expect(largestDifference(logProbs, golden.logprobs[row]!)).toBeLessThanOrEqual(1e-2);
      const languages = rowOf(outputs['language_probs']!, row);
      for (const [id, probability] of golden.language_top5[row]!) {
        expect(languages[id - checkpoint.tokens.languagesStart]).toBeCloseTo(probability, 4);
      }
    }
  });

  test('a batch hears languages as if there were no prompts, and candidates as if no other language', async () => {
    const golden = readGolden<MultilingualGolden>('whisper-random-multilingual.json');
    const checkpoint = await readWhisperCheckpoint(
      sharedPath('models/whisper-random-multilingual'),
    );
    const weights = new Weights(checkpoint.tensors, {
      computeType: 'float32',
      expandQuantized: () => false,
    });
    const request = {
      waveform: new Float32Array(480_000),
      task: 'transcribe',
      language: null,
      timestamps: true,
      temperature: 0,
      prompt: null,
    } as const;
    const graph = await GraphRunner.load((outer) => {
      const features = outer.input('features', 'float32', ['batch', MELS, FRAMES]);
      decodeGraph(outer, weights, checkpoint, encoder(outer, weights, checkpoint, features));
    });
    const run = async (previous: readonly (readonly number[])[]) => {
      const prompts = previous.map((ids) => rowPrompt(checkpoint, request, ids));
      const outputs = await graph.run({
        ...decodeFeeds(checkpoint, [request, request], prompts),
        features: { type: 'float32', data: goldenFeatures(golden.phase), dims: [2, MELS, FRAMES] },
        max_tokens: { type: 'int64', data: BigInt64Array.of(12n), dims: [] },
        token_limits: { type: 'int64', data: BigInt64Array.of(12n, 12n), dims: [2, 1] },
      });
      return {
        languages: [0, 1].map((row) => rowOf(outputs['language_probs']!, row)),
        rows: decodedRows(outputs as unknown as TensorMap, checkpoint.tokens.endOfText),
      };
    };
    const long = Array.from({ length: 40 }, (_, i) => 1000 + 37 * i);
    const short = [400, 500, 600];
    const alone = await run([[], []]);
    for (const [row, expected] of golden.language_top5.entries()) {
      for (const [id, probability] of expected) {
        const heard = alone.languages[row]![id - checkpoint.tokens.languagesStart];
        expect(heard).toBeCloseTo(probability, 4);
      }
    }
    const prompted = await Promise.all([run([long, short]), run([[], long]), run([short, []])]);
    for (const { languages } of prompted) {
      for (const row of [0, 1]) {
        expect(largestDifference(languages[row]!, alone.languages[row]!)).toBeLessThanOrEqual(1e-5);
      }
    }
    // Candidates are chosen from as if there were no other language, each window for itself.
    const { tokens } = checkpoint;
    const candidates = [tokens.languages[7]!, tokens.languages[3]!, 'no language'];
    const limited = { ...request, languages: candidates };
    const untouched = rowPrompt(checkpoint, request, []);
    const chosen = await graph.run({
      ...decodeFeeds(checkpoint, [limited, request], [untouched, untouched]),
      features: { type: 'float32', data: goldenFeatures(golden.phase), dims: [2, MELS, FRAMES] },
    });
    const [narrow, wide] = [0, 1].map((row) => rowOf(chosen['language_probs']!, row));
    const mass = alone.languages[0]![7]! + alone.languages[0]![3]!;
    const renormalised = alone.languages[0]!.map((probability, index) =>
      index === 7 || index === 3 ? probability / mass : 0,
    );
    expect(largestDifference(narrow!, renormalised)).toBeLessThanOrEqual(1e-5);
    expect(largestDifference(wide!, alone.languages[1]!)).toBeLessThanOrEqual(1e-5);
    const spoken = languageOf(narrow!, tokens);
    expect(candidates).toContain(spoken);
    const inCandidate = await graph.run({
      ...decodeFeeds(
        checkpoint,
        [{ ...request, language: spoken }, request],
        [rowPrompt(checkpoint, { ...request, language: spoken }, []), untouched],
      ),
      features: { type: 'float32', data: goldenFeatures(golden.phase), dims: [2, MELS, FRAMES] },
    });
    const [detectedRow, givenRow] = [chosen, inCandidate].map(
      (outputs) => decodedRows(outputs as unknown as TensorMap, tokens.endOfText)[0]!,
    );
    expect(detectedRow!.ids).toEqual(givenRow!.ids);
    // What is decoded sees the whole prompt, and nothing of the query in front of it.
    const known = languageOf(alone.languages[0]!, checkpoint.tokens);
    const asked = rowPrompt(checkpoint, { ...request, language: known }, short);
    const same = await graph.run({
      ...decodeFeeds(checkpoint, [request, request], [asked, asked]),
      features: { type: 'float32', data: goldenFeatures(golden.phase), dims: [2, MELS, FRAMES] },
      max_tokens: { type: 'int64', data: BigInt64Array.of(12n), dims: [] },
      token_limits: { type: 'int64', data: BigInt64Array.of(12n, 12n), dims: [2, 1] },
    });
    const [given] = decodedRows(same as unknown as TensorMap, checkpoint.tokens.endOfText);
    const [detected] = prompted[2]!.rows;
    expect(detected!.ids).toEqual(given!.ids);
    expect(largestDifference(detected!.logProbs, given!.logProbs)).toBeLessThanOrEqual(1e-4);
    await graph.release();
  });
});

function languageOf(probabilities: readonly number[], tokens: SpecialTokens): string {
  return tokens.languages[probabilities.indexOf(Math.max(...probabilities))]!;
}
