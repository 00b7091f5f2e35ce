import type { TensorMap } from '../../models/engine/protocol.ts';
import type { OnnxGraph, Value } from '../../models/graph/onnx-graph.ts';
import type { Weights } from '../../models/graph/weights.ts';
import { attentionGraph } from '../../models/whisper/attention-graph.ts';
import type { WhisperCheckpoint } from '../../models/whisper/checkpoint.ts';
import { WhisperDecoder } from '../../models/whisper/decoder.ts';
import type { TokenAttention } from '../../pipeline/contracts.ts';
import type { GraphOutput } from './run-graph.ts';

const SAMPLES_PER_FRAME = 320;

/** A window whose text is given instead of decoded. */
export interface ForcedWindow {
  /** Start of transcript, then language and task where there are any. */
  readonly start: readonly number[];
  /** With timestamps, as they were decoded. */
  readonly tokens: readonly number[];
  /** Mel frames that hold audio. */
  readonly audioFrames: number;
}

/** The attention graph on the encoder's output for given texts. */
export function forcedAttentionGraph(
  graph: OnnxGraph,
  weights: Weights,
  checkpoint: WhisperCheckpoint,
  audio: Value,
): void {
  attentionGraph(graph, weights, checkpoint, {
    start: graph.input('start', 'int64', ['batch', 'start']),
    firstToken: graph.input('tokens', 'int64', ['batch', 'tokens']),
    stages: [],
    audio: new WhisperDecoder(weights, checkpoint).audioKeyValues(graph, audio),
    audioFrames: graph.input('audio_frames', 'int64', ['batch', 1, 1]),
  });
}

export function forcedFeeds(windows: readonly ForcedWindow[], endOfText: number): TensorMap {
  const width = Math.max(...windows.map(({ tokens }) => tokens.length));
  const ids = windows.flatMap(({ tokens }) => [
    ...tokens,
    ...new Array<number>(width - tokens.length).fill(endOfText),
  ]);
  const frames = windows.map(({ audioFrames }) => audioFrames);
  const start = windows.flatMap((window) => window.start);
  return {
    start: {
      type: 'int64',
      data: BigInt64Array.from(start, BigInt),
      dims: [windows.length, start.length / windows.length],
    },
    tokens: { type: 'int64', data: BigInt64Array.from(ids, BigInt), dims: [windows.length, width] },
    audio_frames: {
      type: 'int64',
      data: BigInt64Array.from(frames, BigInt),
      dims: [windows.length, 1, 1],
    },
    attention: { type: 'bool', data: Uint8Array.of(1), dims: [] },
  };
}

/** One window's part of the output. */
export function attentionOf(
  { data, dims }: GraphOutput,
  row: number,
  { tokens, audioFrames }: Pick<ForcedWindow, 'tokens' | 'audioFrames'>,
  endOfText: number,
): TokenAttention {
  const [, rows = 0, width = 0] = dims;
  const frames = audioFrames >> 1;
  const textCount = tokens.filter((id) => id < endOfText).length;
  const weights = new Float32Array((textCount + 1) * frames);
  for (let token = 0; token <= textCount; token++) {
    const start = (row * rows + token) * width;
    weights.set((data as Float32Array).subarray(start, start + frames), token * frames);
  }
  return { weights, frames, samplesPerFrame: SAMPLES_PER_FRAME };
}
