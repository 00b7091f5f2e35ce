import { logMel, WHISPER_HOP_SAMPLES } from '../features/log-mel.ts';
import type { OnnxGraph, Value } from '../graph/onnx-graph.ts';
import type { Weights } from '../graph/weights.ts';
import { attentionGraph } from './attention-graph.ts';
import { beamGraph } from './beam-graph.ts';
import type { WhisperCheckpoint } from './checkpoint.ts';
import { decodeGraph } from './decode-graph.ts';
import { encoder } from './encoder.ts';

/** 30 s, as in training. */
export const WINDOW_SAMPLES = 480_000;
const WINDOW_FRAMES = WINDOW_SAMPLES / WHISPER_HOP_SAMPLES;

/**
 * Whisper from waveform to tokens in one graph, so that keys and values never leave the device.
 *
 * Inputs (W windows of n rows each, R = W · n; a window's rows are its samples or beams):
 * - `waveform` float32 [W, samples], padded with zeros to 480000 or to less, see `contextSamples`;
 *   `audio_frames` int64 [W, 1, 1]: mel frames that hold audio, the rest of the spectrogram is 0 as in
 *   openai-whisper (not the silence of the padding)
 * - `prompt` int64 [W, P]: previous text, then start of transcript; English-only models: and all after
 *   it. Shorter prompts are padded in front with −2; `any_padding` bool []: some are
 * - `task` int64 [W, Q], multilingual only: language (−1: detect), task, no-timestamps token if wanted
 *   Where a language is to be detected behind previous text, −3 stands first: see `LANGUAGE_QUERY`
 * - `start_index` int64 [W, 1]: place of start of transcript in `prompt`; `language_index` int64 [W, 1],
 *   multilingual only: place whose state says the language
 * - `language_bias` float32 [W, languages], multilingual only: added to the scores of the languages
 * - `rows_per_window` int64 [1]: n
 * - `token_limits` int64 [W, 1]: most tokens of a row, 0: the window only fills the batch;
 *   `max_tokens` int64 []: the largest
 * - `text_bias`, `begin_bias` float32 [1, timestampsStart]: added to the text scores, to all and to the first
 * - `timestamps` bool [W, 1], `max_initial_timestamp` int64 [1]: openai-whisper's timestamp rules
 * - `loop_thresholds`, `any_repetition_rules`, `repetition_penalty`, `ngram_start`: `RepetitionInputs`
 * - greedy: `temperature` float32 [R, 1], `any_sampling` bool [], `uniforms` float32 [max_tokens, R, 1]
 *   in [0, 1)
 *
 * Outputs of a greedy decode; those of a beam search: see `beamGraph`.
 * - `first_token` int64 [R, 1], `first_log_prob` float32 [R, 1]
 * - for each stage s of three: `tokens_s` int64 [T_s, R_s], `log_probs_s` float32 [T_s, R_s] (after end
 *   of text: end of text, 0) and `rows_s` int64 [R_s], the rows that they belong to. A stage ends when
 *   half of its windows have: a batch would otherwise run until its longest row ends
 * - `no_speech_prob` float32 [W], `language_probs` float32 [W, languages] (multilingual only)
 * - with the input `attention` bool [] the output `attention_weights`: see `attentionGraph`
 */
export function transcriptionGraph(
  graph: OnnxGraph,
  weights: Weights,
  checkpoint: WhisperCheckpoint,
  search: 'greedy' | 'beam' = 'greedy',
): void {
  const waveform = graph.input('waveform', 'float32', ['batch', 'samples']);
  const audioFrames = graph.input('audio_frames', 'int64', ['batch', 1, 1]);
  const mel = withoutPadding(graph, logMel(graph, waveform, checkpoint.melBins), audioFrames);
  const audio = encoder(graph, weights, checkpoint, mel);
  const decode = search === 'beam' ? beamGraph : decodeGraph;
  const decoded = decode(graph, weights, checkpoint, audio);
  attentionGraph(graph, weights, checkpoint, { ...decoded, audioFrames });
}

function withoutPadding(graph: OnnxGraph, mel: Value, frames: Value): Value {
  return graph.in('log_mel', () => {
    const indices = Array.from({ length: WINDOW_FRAMES }, (_, frame) => frame);
    const all = graph.integers(indices, [1, 1, WINDOW_FRAMES]);
    const length = graph.op('Gather', [graph.op('Shape', [mel]), graph.integers([2])]);
    const [start, axis] = [graph.integers([0]), graph.integers([2])];
    const isAudio = graph.op('Less', [graph.op('Slice', [all, start, length, axis]), frames]);
    return graph.op('Where', [isAudio, mel, graph.float(0)]);
  });
}
