import type { RecognitionRequest } from '../../pipeline/contracts.ts';
import type { TensorData, TensorMap, TensorMessage } from '../engine/protocol.ts';
import { WHISPER_HOP_SAMPLES } from '../features/log-mel.ts';
import type { WhisperCheckpoint } from './checkpoint.ts';
import { type DecodingKind, GREEDY, lengthNorm } from './decoding-kind.ts';
import { loopThreshold } from './loop-guard.ts';
import { maxNewTokens, paddedPrompts, type RowPrompt, tokenLimit } from './row-prompt.ts';
import { FORBIDDEN } from './timestamp-rules.ts';
import { uniformRow } from './uniforms.ts';

/** No n-gram is this long. */
const NO_NGRAM = 1e9;

/**
 * What both graphs are fed: see `transcriptionGraph`. All windows are decoded in one way, `kind`;
 * `windows` places that no request fills hold silence and end before their first token.
 */
export function decodeFeeds(
  checkpoint: WhisperCheckpoint,
  requests: readonly RecognitionRequest[],
  prompts: readonly RowPrompt[],
  { windows = requests.length, kind = GREEDY }: { windows?: number; kind?: DecodingKind } = {},
): TensorMap {
  const { contextSamples } = kind;
  const filled = Array.from({ length: windows }, (_, place) =>
    Math.min(place, requests.length - 1),
  );
  const padded = paddedPrompts(filled.map((place) => prompts[place]!));
  const limits = filled.map((request, place) =>
    place === request
      ? tokenLimit(checkpoint, prompts[request]!, requests[request]!.waveform.length)
      : 0,
  );
  return {
    waveform: float32(waveforms(requests, windows, contextSamples), [windows, contextSamples]),
    audio_frames: int64(
      filled.map((place) => Math.floor(requests[place]!.waveform.length / WHISPER_HOP_SAMPLES)),
      [windows, 1, 1],
    ),
    prompt: int64(padded.prompts, [windows, padded.promptLength]),
    ...(checkpoint.tokens.isMultilingual && {
      task: int64(padded.tasks, [windows, padded.taskLength]),
      language_index: int64(padded.languageIndices, [windows, 1]),
      language_bias: float32(
        languageBias(
          checkpoint,
          filled.map((place) => requests[place]!),
        ),
        [windows, checkpoint.tokens.languages.length],
      ),
    }),
    start_index: int64(padded.startIndices, [windows, 1]),
    any_padding: bool([padded.isPadded], []),
    timestamps: bool(
      filled.map((place) => requests[place]!.timestamps),
      [windows, 1],
    ),
    token_limits: int64(limits, [windows, 1]),
    max_tokens: int64([Math.max(...limits)], []),
    rows_per_window: int64([kind.rowsPerWindow], [1]),
    max_initial_timestamp: int64([checkpoint.maxInitialTimestamp], [1]),
    text_bias: bias(checkpoint, [
      ...checkpoint.controlTokens,
      ...(kind.suppressesOwnList ? checkpoint.suppressTokens : []),
      ...kind.suppressTokens,
    ]),
    begin_bias: bias(checkpoint, checkpoint.beginSuppressTokens),
    ...repetitionFeeds(checkpoint, kind),
    ...(kind.search === 'beam'
      ? beamFeeds(checkpoint, kind)
      : samplingFeeds(
          filled.map((place) => requests[place]!.temperature),
          Math.max(...limits),
          kind,
        )),
    attention: bool([requests.some(({ attention }) => attention === true)], []),
  };
}

function repetitionFeeds(checkpoint: WhisperCheckpoint, kind: DecodingKind): TensorMap {
  const periods = Array.from({ length: maxNewTokens(checkpoint) }, (_, index) => index + 1);
  const { repetitionPenalty, noRepeatNgramSize } = kind;
  return {
    loop_thresholds: floats(periods.map(loopThreshold), [1, periods.length]),
    any_repetition_rules: bool([repetitionPenalty !== 1 || noRepeatNgramSize > 0], []),
    repetition_penalty: floats([repetitionPenalty], []),
    ngram_start: floats([noRepeatNgramSize > 0 ? noRepeatNgramSize - 1 : NO_NGRAM], []),
  };
}

/** Each window's samples side by side. */
function samplingFeeds(
  temperatures: readonly number[],
  steps: number,
  { rowsPerWindow }: DecodingKind,
): TensorMap {
  const rows = temperatures.flatMap((temperature) =>
    Array.from({ length: rowsPerWindow }, (_, sample) => ({ temperature, sample })),
  );
  const uniforms = new Float32Array(steps * rows.length);
  for (const [row, { temperature, sample }] of rows.entries()) {
    const values = uniformRow(temperature, sample, steps);
    for (const [step, value] of values.entries()) uniforms[step * rows.length + row] = value;
  }
  return {
    temperature: floats(
      rows.map(({ temperature }) => temperature),
      [rows.length, 1],
    ),
    any_sampling: bool([temperatures.some((temperature) => temperature > 0)], []),
    uniforms: float32(uniforms, [steps, rows.length, 1]),
  };
}

function beamFeeds(checkpoint: WhisperCheckpoint, kind: DecodingKind): TensorMap {
  const { rowsPerWindow, patience, lengthPenalty } = kind;
  const lengths = Array.from({ length: maxNewTokens(checkpoint) + 2 }, (_, length) => length);
  return {
    max_candidates: floats([Math.max(1, roundHalfEven(rowsPerWindow * patience))], []),
    length_norms: floats(lengths.map(lengthNorm(lengthPenalty)), [lengths.length]),
  };
}

/** As Python rounds. */
function roundHalfEven(value: number): number {
  const rounded = Math.round(value);
  return value % 1 === 0.5 && rounded % 2 === 1 ? rounded - 1 : rounded;
}

function waveforms(
  requests: readonly RecognitionRequest[],
  windows: number,
  samples: number,
): Float32Array<ArrayBuffer> {
  const all = new Float32Array(windows * samples);
  for (const [place, { waveform }] of requests.entries()) {
    all.set(waveform.subarray(0, samples), place * samples);
  }
  return all;
}

/** Added to the scores of languages: what a window's detection may not choose is out of reach. */
function languageBias(
  { tokens }: WhisperCheckpoint,
  requests: readonly RecognitionRequest[],
): Float32Array<ArrayBuffer> {
  return Float32Array.from(
    requests.flatMap(({ languages = [] }) =>
      tokens.languages.map((code) =>
        languages.length === 0 || languages.includes(code) ? 0 : FORBIDDEN,
      ),
    ),
  );
}

function bias({ tokens }: WhisperCheckpoint, suppressed: readonly number[]): TensorMessage {
  const scores = new Float32Array(tokens.timestampsStart);
  for (const id of suppressed) if (id < scores.length) scores[id] = FORBIDDEN;
  return float32(scores, [1, scores.length]);
}

const tensor = (
  type: TensorMessage['type'],
  data: TensorData,
  dims: readonly number[],
): TensorMessage => ({ type, data, dims });

const float32 = (data: Float32Array<ArrayBuffer>, dims: readonly number[]): TensorMessage =>
  tensor('float32', data, dims);

const floats = (values: readonly number[], dims: readonly number[]): TensorMessage =>
  float32(Float32Array.from(values), dims);

const int64 = (values: readonly number[], dims: readonly number[]): TensorMessage =>
  tensor('int64', BigInt64Array.from(values, BigInt), dims);

const bool = (values: readonly boolean[], dims: readonly number[]): TensorMessage =>
  tensor('bool', Uint8Array.from(values, Number), dims);
