import { SAMPLE_RATE_HZ } from '../../audio/time.ts';
import { SttError } from '../../core/errors.ts';
import type {
  Recognition,
  RecognitionRequest,
  RecognizedToken,
  TokenAttention,
} from '../../pipeline/contracts.ts';
import type { TensorMap } from '../engine/protocol.ts';
import type { WhisperCheckpoint } from './checkpoint.ts';
import { type DecodedRow, decodedRows, searchedRows } from './decoded-rows.ts';
import { type DecodingKind, lengthNorm } from './decoding-kind.ts';
import { endsInLoop } from './loop-guard.ts';
import { type RowPrompt, tokenLimit } from './row-prompt.ts';

/** Timestamp tokens count in steps of 20 ms. */
const SAMPLES_PER_TIMESTAMP = SAMPLE_RATE_HZ / 50;

/** A window as it went into the run. */
export interface DecodedWindow {
  readonly request: RecognitionRequest;
  readonly prompt: RowPrompt;
  /** Tokens of the request's prompt for which `prompt` has no room. */
  readonly droppedPromptTokens: number;
}

/** What a run says of its windows; of several samples of one, the likeliest, as openai-whisper ranks. */
export function recognitions(
  checkpoint: WhisperCheckpoint,
  outputs: TensorMap,
  windows: readonly DecodedWindow[],
  kind: DecodingKind,
): Recognition[] {
  const { endOfText } = checkpoint.tokens;
  const isBeam = kind.search === 'beam';
  const rows = isBeam ? searchedRows(outputs, endOfText) : decodedRows(outputs, endOfText);
  const perWindow = isBeam ? 1 : kind.rowsPerWindow;
  const reader = new OutputReader(checkpoint, outputs);
  return windows.map((window, place) => {
    const first = place * perWindow;
    const row = first + likeliest(rows.slice(first, first + perWindow), kind.lengthPenalty);
    return reader.recognition(window, { place, row, decoded: rows[row]! });
  });
}

function likeliest(rows: readonly DecodedRow[], lengthPenalty: number | null): number {
  const norm = lengthNorm(lengthPenalty);
  const ranks = rows.map(({ ids, sumLogProb }) => sumLogProb / norm(ids.length));
  return ranks.indexOf(Math.max(...ranks));
}

interface Place {
  /** Of the window in the batch. */
  readonly place: number;
  /** Among all rows that were decoded. */
  readonly row: number;
  readonly decoded: DecodedRow;
}

class OutputReader {
  readonly #checkpoint: WhisperCheckpoint;
  readonly #outputs: TensorMap;

  constructor(checkpoint: WhisperCheckpoint, outputs: TensorMap) {
    this.#checkpoint = checkpoint;
    this.#outputs = outputs;
  }

  recognition(window: DecodedWindow, at: Place): Recognition {
    const { ids, logProbs, sumLogProb } = at.decoded;
    const { request, droppedPromptTokens } = window;
    const stoppedBy = this.#stoppedBy(window, ids);
    return {
      tokens: ids.map((id, index) => this.#token(id, logProbs[index]!)),
      avgLogProb: numberOf(sumLogProb) / (ids.length + 1),
      noSpeechProb: Number(this.#outputs['no_speech_prob']!.data[at.place]),
      ...this.#languageOf(at.place, request.language),
      ...(request.attention === true && { attention: this.#attention(at, request) }),
      ...(stoppedBy !== undefined && { stoppedBy }),
      ...(droppedPromptTokens > 0 && { droppedPromptTokens }),
    };
  }

  #stoppedBy({ request, prompt }: DecodedWindow, ids: readonly number[]): Recognition['stoppedBy'] {
    if (endsInLoop(ids, this.#checkpoint.tokens.timestampsStart)) return 'loop';
    const limit = tokenLimit(this.#checkpoint, prompt, request.waveform.length);
    return ids.length >= limit ? 'limit' : undefined;
  }

  /** The row's own part of `attention_weights`, see `attentionGraph`. */
  #attention({ row, decoded }: Place, { waveform }: RecognitionRequest): TokenAttention {
    const { data, dims } = this.#outputs['attention_weights']!;
    const [, rowCount = 0, width = 0] = dims;
    const textCount = decoded.ids.filter((id) => id < this.#checkpoint.tokens.endOfText).length;
    const frames = Math.min(Math.floor(waveform.length / SAMPLES_PER_TIMESTAMP), width);
    const weights = new Float32Array((textCount + 1) * frames);
    for (let token = 0; token <= textCount; token++) {
      const start = (row * rowCount + token) * width;
      weights.set((data as Float32Array).subarray(start, start + frames), token * frames);
    }
    return { weights, frames, samplesPerFrame: SAMPLES_PER_TIMESTAMP };
  }

  #token(id: number, logProb: number): RecognizedToken {
    const { timestampsStart } = this.#checkpoint.tokens;
    if (id < timestampsStart) return { kind: 'text', id, logProb };
    const offsetSamples = (id - timestampsStart) * SAMPLES_PER_TIMESTAMP;
    return { kind: 'timestamp', offsetSamples, logProb };
  }

  #languageOf(place: number, asked: string | null) {
    const probabilities = this.#outputs['language_probs'];
    const { languages } = this.#checkpoint.tokens;
    if (asked !== null) return { language: asked, languageProbability: 1 };
    if (probabilities === undefined) return { language: languages[0]!, languageProbability: 0 };
    const count = languages.length;
    let best = 0;
    for (let language = 1; language < count; language++) {
      const isBetter =
        probabilities.data[place * count + language]! > probabilities.data[place * count + best]!;
      if (isBetter) best = language;
    }
    return {
      language: languages[best]!,
      languageProbability: Number(probabilities.data[place * count + best]),
    };
  }
}

/** @throws {SttError} MODEL_INVALID: weights that are not numbers, or float16 that overflowed. */
function numberOf(sumLogProb: number): number {
  if (!Number.isNaN(sumLogProb)) return sumLogProb;
  throw new SttError('MODEL_INVALID', 'The probability of the text is not a number');
}
