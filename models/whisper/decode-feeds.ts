import type { RecognitionRequest } from '../../pipeline/contracts.ts';
import type { TensorData, TensorMap, TensorMessage } from '../engine/protocol.ts';
import { WHISPER_HOP_SAMPLES } from '../features/log-mel.ts';
import type { WhisperCheckpoint } from './checkpoint.ts';
import { FORBIDDEN } from './token-picker.ts';
import { WINDOW_SAMPLES } from './transcription-graph.ts';

/** openai-whisper's `sample_len`: half of the decoder's positions. */
const maxNewTokens = (checkpoint: WhisperCheckpoint): number => checkpoint.maxTokens >> 1;
/** Previous text that fits before the start of transcript, as openai-whisper. */
const maxPromptTokens = (checkpoint: WhisperCheckpoint): number => (checkpoint.maxTokens >> 1) - 1;

/** What a row says to the decoder before its first token. */
export interface RowPrompt {
  /** Up to start of transcript; English-only models: everything. */
  readonly prompt: readonly number[];
  /** After start of transcript; −1 where the language is to be detected. Empty if English-only. */
  readonly task: readonly number[];
  readonly startIndex: number;
}

/** @param previous ids of the text before the window; only the last that fit are used. */
export function rowPrompt(
  checkpoint: WhisperCheckpoint,
  request: Pick<RecognitionRequest, 'language' | 'task' | 'timestamps'>,
  previous: readonly number[],
): RowPrompt {
  const { tokens } = checkpoint;
  const kept = previous.slice(-maxPromptTokens(checkpoint));
  const context = kept.length === 0 ? [] : [tokens.startOfPrevious, ...kept];
  const untimed = request.timestamps ? [] : [tokens.noTimestamps];
  if (!tokens.isMultilingual) {
    return {
      prompt: [...context, tokens.startOfTranscript, ...untimed],
      task: [],
      startIndex: context.length,
    };
  }
  const language =
    request.language === null
      ? -1
      : tokens.languagesStart + tokens.languages.indexOf(request.language);
  const task = request.task === 'translate' ? tokens.translate : tokens.transcribe;
  return {
    prompt: [...context, tokens.startOfTranscript],
    task: [language, task, ...untimed],
    startIndex: context.length,
  };
}

/** Rows of one run must have prompts of one length; `rows` empty places are filled with silence. */
export function decodeFeeds(
  checkpoint: WhisperCheckpoint,
  requests: readonly RecognitionRequest[],
  prompts: readonly RowPrompt[],
  rows: number,
): TensorMap {
  const filled = Array.from({ length: rows }, (_, row) => Math.min(row, requests.length - 1));
  const first = prompts[0]!;
  const steps = Math.min(
    maxNewTokens(checkpoint),
    checkpoint.maxTokens - first.prompt.length - first.task.length,
  );
  const temperatures = filled.map((row) => requests[row]!.temperature);
  const isSampling = temperatures.some((temperature) => temperature > 0);
  const { tokens } = checkpoint;
  return {
    waveform: float32(waveforms(requests, rows), [rows, WINDOW_SAMPLES]),
    audio_frames: int64(
      filled.map((row) => Math.floor(requests[row]!.waveform.length / WHISPER_HOP_SAMPLES)),
      [rows, 1, 1],
    ),
    prompt: int64(
      filled.flatMap((row) => prompts[row]!.prompt),
      [rows, first.prompt.length],
    ),
    ...(tokens.isMultilingual && {
      task: int64(
        filled.flatMap((row) => prompts[row]!.task),
        [rows, first.task.length],
      ),
    }),
    start_index: int64([first.startIndex], [1]),
    text_bias: bias(checkpoint, checkpoint.suppressTokens),
    begin_bias: bias(checkpoint, checkpoint.beginSuppressTokens),
    timestamps: bool(
      filled.map((row) => requests[row]!.timestamps),
      [rows, 1],
    ),
    max_initial_timestamp: int64([checkpoint.maxInitialTimestamp], [1]),
    temperature: float32(Float32Array.from(temperatures), [rows, 1]),
    any_sampling: bool([isSampling], []),
    uniforms: float32(uniforms(steps * rows, isSampling), [steps, rows, 1]),
    max_tokens: int64([steps], []),
    attention: bool([requests.some(({ attention }) => attention === true)], []),
  };
}

function waveforms(
  requests: readonly RecognitionRequest[],
  rows: number,
): Float32Array<ArrayBuffer> {
  const all = new Float32Array(rows * WINDOW_SAMPLES);
  for (const [row, { waveform }] of requests.entries()) {
    all.set(waveform.subarray(0, WINDOW_SAMPLES), row * WINDOW_SAMPLES);
  }
  return all;
}

function bias({ tokens }: WhisperCheckpoint, suppressed: readonly number[]): TensorMessage {
  const scores = new Float32Array(tokens.timestampsStart);
  for (const id of suppressed) if (id < scores.length) scores[id] = FORBIDDEN;
  return float32(scores, [1, scores.length]);
}

/** The same numbers in every run: a job sampled twice gives the same text twice. */
function uniforms(count: number, isSampling: boolean): Float32Array<ArrayBuffer> {
  const values = new Float32Array(count);
  if (!isSampling) return values;
  let state = 0x9e3779b9;
  for (let i = 0; i < count; i++) {
    // mulberry32
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    values[i] = ((mixed ^ (mixed >>> 14)) >>> 8) / 2 ** 24;
  }
  return values;
}

const tensor = (
  type: TensorMessage['type'],
  data: TensorData,
  dims: readonly number[],
): TensorMessage => ({ type, data, dims });

const float32 = (data: Float32Array<ArrayBuffer>, dims: readonly number[]): TensorMessage =>
  tensor('float32', data, dims);

const int64 = (values: readonly number[], dims: readonly number[]): TensorMessage =>
  tensor('int64', BigInt64Array.from(values, BigInt), dims);

const bool = (values: readonly boolean[], dims: readonly number[]): TensorMessage =>
  tensor('bool', Uint8Array.from(values, Number), dims);
