import { logMel, WHISPER_HOP_SAMPLES } from '../features/log-mel.ts';
import type { OnnxGraph, Value } from '../graph/onnx-graph.ts';
import type { Weights } from '../graph/weights.ts';
import { attentionGraph } from './attention-graph.ts';
import type { WhisperCheckpoint } from './checkpoint.ts';
import { decodeGraph } from './decode-graph.ts';
import { encoder } from './encoder.ts';

/** 30 s. */
export const WINDOW_SAMPLES = 480_000;
const WINDOW_FRAMES = WINDOW_SAMPLES / WHISPER_HOP_SAMPLES;

/**
 * Whisper from waveform to tokens in one graph, so that keys and values never leave the device.
 *
 * Inputs (B rows):
 * - `waveform` float32 [B, 480000], padded with zeros; `audio_frames` int64 [B, 1, 1]: mel frames that
 *   hold audio, the rest of the spectrogram is 0 as in openai-whisper (not the silence of the padding)
 * - `prompt` int64 [B, P]: previous text, then start of transcript; English-only models: and all after it
 * - `task` int64 [B, Q], multilingual only: language (−1: detect), task, no-timestamps token if wanted
 * - `text_bias`, `begin_bias` float32 [1, timestampsStart]: added to the text scores, to all and to the first
 * - `timestamps` bool [B, 1], `max_initial_timestamp` int64 [1]: openai-whisper's timestamp rules
 * - `temperature` float32 [B, 1], `any_sampling` bool [], `uniforms` float32 [max_tokens, B, 1] in [0, 1)
 * - `start_index` int64 [1]: position of start of transcript in `prompt`; `max_tokens` int64 []
 *
 * Outputs:
 * - `first_token` int64 [B, 1], `first_log_prob` float32 [B, 1]
 * - for each stage s of three: `tokens_s` int64 [T_s, B_s], `log_probs_s` float32 [T_s, B_s] (after end
 *   of text: end of text, 0) and `rows_s` int64 [B_s], the rows that they belong to. A stage ends when
 *   half of its rows have: a batch would otherwise run until its longest row ends
 * - `no_speech_prob` float32 [B], `language_probs` float32 [B, languages] (multilingual only)
 * - with the input `attention` bool [] the output `attention_weights`: see `attentionGraph`
 */
export function transcriptionGraph(
  graph: OnnxGraph,
  weights: Weights,
  checkpoint: WhisperCheckpoint,
): void {
  const waveform = graph.input('waveform', 'float32', ['batch', WINDOW_SAMPLES]);
  const audioFrames = graph.input('audio_frames', 'int64', ['batch', 1, 1]);
  const mel = withoutPadding(graph, logMel(graph, waveform, checkpoint.melBins), audioFrames);
  const audio = encoder(graph, weights, checkpoint, mel);
  const decoded = decodeGraph(graph, weights, checkpoint, audio);
  attentionGraph(graph, weights, checkpoint, { ...decoded, audioFrames });
}

function withoutPadding(graph: OnnxGraph, mel: Value, frames: Value): Value {
  return graph.in('log_mel', () => {
    const indices = Array.from({ length: WINDOW_FRAMES }, (_, frame) => frame);
    const isAudio = graph.op('Less', [graph.integers(indices, [1, 1, WINDOW_FRAMES]), frames]);
    return graph.op('Where', [isAudio, mel, graph.float(0)]);
  });
}
