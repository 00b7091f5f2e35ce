import type { TensorMap } from '../engine/protocol.ts';
import type { WhisperCheckpoint } from './checkpoint.ts';
import { decodeFeeds } from './decode-feeds.ts';
import { type DecodingKind, GREEDY } from './decoding-kind.ts';
import { rowPrompt } from './row-prompt.ts';
import { FORBIDDEN } from './timestamp-rules.ts';
import { WINDOW_SAMPLES } from './transcription-graph.ts';

/** No run of repeated tokens is this long. */
const NEVER = 1e9;
const NOISE_SAMPLES = 5000;

/** A window that says a given number of tokens, whatever the weights and the audio. */
export interface ForcedWindow {
  readonly tokens: number;
  /** Length of the text before it; 0 by default. */
  readonly previousTokens?: number;
  readonly temperature?: number;
}

/** Feeds by which each window says exactly what it is told to, as long as it is told to. */
export function forcedFeeds(
  checkpoint: WhisperCheckpoint,
  windows: readonly ForcedWindow[],
  { kind = GREEDY, attention = false }: { kind?: DecodingKind; attention?: boolean } = {},
): TensorMap {
  const { endOfText, languages, timestampsStart } = checkpoint.tokens;
  const requests = windows.map(({ temperature = 0 }) => ({
    waveform: noise(),
    task: 'transcribe' as const,
    language: languages[0]!,
    timestamps: false,
    temperature,
    prompt: null,
    attention,
  }));
  const prompts = windows.map(({ previousTokens = 0 }, index) =>
    rowPrompt(
      checkpoint,
      requests[index]!,
      Array.from({ length: previousTokens }, (_, id) => id),
    ),
  );
  const feeds = decodeFeeds(checkpoint, requests, prompts, { kind });
  const textBias = new Float32Array(timestampsStart);
  textBias[endOfText] = FORBIDDEN;
  const thresholds = new Float32Array(feeds['loop_thresholds']!.data.length).fill(NEVER);
  const most = feeds['token_limits']!.data; // [windows, 1]
  const limits = windows.map(({ tokens }, row) => Math.min(tokens, Number(most[row])));
  return {
    ...feeds,
    text_bias: { ...feeds['text_bias']!, data: textBias },
    loop_thresholds: { ...feeds['loop_thresholds']!, data: thresholds },
    token_limits: {
      type: 'int64',
      data: BigInt64Array.from(limits, BigInt),
      dims: [windows.length, 1],
    },
    max_tokens: { type: 'int64', data: BigInt64Array.of(BigInt(Math.max(...limits))), dims: [] },
  };
}

/** A third of a second of quiet noise, the rest silence: every window is the same. */
function noise(): Float32Array<ArrayBuffer> {
  const waveform = new Float32Array(WINDOW_SAMPLES);
  for (let sample = 0; sample < NOISE_SAMPLES; sample++) {
    waveform[sample] = 0.1 * Math.sin(sample ** 1.5);
  }
  return waveform;
}
