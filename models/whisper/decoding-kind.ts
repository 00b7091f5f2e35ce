import type { RecognitionRequest } from '../../pipeline/contracts.ts';
import { contextSamples } from './encoder-context.ts';
import { WINDOW_SAMPLES } from './transcription-graph.ts';

/** How a batch is decoded; windows share a batch only if all of this is the same. */
export interface DecodingKind {
  readonly search: 'greedy' | 'beam';
  /** Beams, or samples of which the best is kept. */
  readonly rowsPerWindow: number;
  readonly patience: number;
  /** Null: hypotheses are ranked by the mean over their tokens. */
  readonly lengthPenalty: number | null;
  /** 1 = none. */
  readonly repetitionPenalty: number;
  /** 0 = none. */
  readonly noRepeatNgramSize: number;
  /** Whether what the checkpoint lists is never said. */
  readonly suppressesOwnList: boolean;
  /** Besides that and the control tokens. */
  readonly suppressTokens: readonly number[];
  /** What the encoder reads of each window, padding included. */
  readonly contextSamples: number;
}

export const GREEDY: DecodingKind = {
  search: 'greedy',
  rowsPerWindow: 1,
  patience: 1,
  lengthPenalty: null,
  repetitionPenalty: 1,
  noRepeatNgramSize: 0,
  suppressesOwnList: true,
  suppressTokens: [],
  contextSamples: WINDOW_SAMPLES,
};

/** In a request's `suppressTokens`, as in openai-whisper: the checkpoint's own list. */
const OWN_LIST = -1;

/**
 * As openai-whisper: beams at temperature 0, samples above it; both need more than one row.
 * @param numerals token ids that are not said either.
 */
export function decodingKind(
  request: Pick<RecognitionRequest, 'waveform' | 'temperature' | 'rules' | 'shortContext'>,
  numerals: readonly number[],
): DecodingKind {
  const { temperature, rules = {} } = request;
  const beams = temperature === 0 ? (rules.beamSize ?? 1) : 1;
  const samples = temperature > 0 ? (rules.bestOf ?? 1) : 1;
  const { suppressTokens = [OWN_LIST] } = rules;
  return {
    search: beams > 1 ? 'beam' : 'greedy',
    rowsPerWindow: Math.max(beams, samples),
    patience: beams > 1 ? (rules.patience ?? 1) : 1,
    lengthPenalty: beams > 1 || samples > 1 ? (rules.lengthPenalty ?? null) : null,
    repetitionPenalty: rules.repetitionPenalty ?? 1,
    noRepeatNgramSize: rules.noRepeatNgramSize ?? 0,
    suppressesOwnList: suppressTokens.includes(OWN_LIST),
    suppressTokens: [...new Set([...suppressTokens, ...numerals])]
      .filter((id) => id !== OWN_LIST)
      .sort((a, b) => a - b),
    contextSamples: contextSamples(request),
  };
}

/**
 * What a hypothesis's summed log-probability is divided by, by its length in tokens: Google's
 * penalty (Wu et al. 2016, equation 14) where it is set, else the length.
 */
export const lengthNorm =
  (penalty: number | null) =>
  (length: number): number =>
    penalty === null ? Math.max(length, 1) : ((5 + length) / 6) ** penalty;
