import { SAMPLE_RATE_HZ } from '../../audio/time.ts';
import type {
  Recognition,
  RecognitionRequest,
  RecognizedToken,
  SpeechRecognizer,
  TokenAttention,
} from '../../pipeline/contracts.ts';

/** What a script answers; the rest is a confident recognition in the requested language. */
export interface ScriptedAnswer extends Partial<Omit<Recognition, 'tokens'>> {
  /** Text for the whole window, without timestamps; or the tokens themselves. */
  readonly text?: string;
  readonly tokens?: readonly RecognizedToken[];
}

/** Answers one request; may be slow, throw, or look at `signal`. */
export type RecognitionScript = (
  request: RecognitionRequest,
  signal: AbortSignal,
) => ScriptedAnswer | Promise<ScriptedAnswer>;

/** A recogniser that says what it is told to, and counts what goes on at the same time. */
export class ScriptedRecognizer implements SpeechRecognizer {
  readonly modelName: string = 'openai/whisper-scripted';
  readonly maxWindowSamples: number = 30 * SAMPLE_RATE_HZ;
  readonly languages: readonly string[];
  readonly batchSize: number;
  readonly retryBeamSize: number;
  readonly requests: RecognitionRequest[] = [];
  inFlight = 0;
  maxInFlight = 0;
  samplesInFlight = 0;
  maxSamplesInFlight = 0;
  readonly #script: RecognitionScript;
  readonly #vocabulary: string[] = [];

  constructor(
    script: RecognitionScript,
    {
      languages = ['en', 'ko', 'ja'],
      batchSize = 2,
      retryBeamSize = 1,
    }: Partial<SpeechRecognizer> = {},
  ) {
    this.#script = script;
    this.languages = languages;
    this.batchSize = batchSize;
    this.retryBeamSize = retryBeamSize;
  }

  /** The token of a text, the same one for the same text. */
  textToken(text: string, logProb = -0.1): RecognizedToken {
    const known = this.#vocabulary.indexOf(text);
    const id = known >= 0 ? known : this.#vocabulary.push(text) - 1;
    return { kind: 'text', id, logProb };
  }

  async recognize(request: RecognitionRequest, signal: AbortSignal): Promise<Recognition> {
    signal.throwIfAborted();
    this.requests.push(request);
    this.#count(1, request);
    try {
      const { text, ...answer } = await this.#script(request, signal);
      signal.throwIfAborted();
      const tokens = text === undefined ? [] : [this.textToken(text)];
      const language = request.language ?? this.languages[0]!;
      return {
        tokens,
        avgLogProb: -0.1,
        noSpeechProb: 0,
        language,
        languageProbability: 1,
        ...(request.attention === true && {
          attention: evenAttention(answer.tokens ?? tokens, request.waveform.length),
        }),
        ...answer,
      };
    } finally {
      this.#count(-1, request);
    }
  }

  textOf(tokenIds: readonly number[]): string {
    return tokenIds.map((id) => this.#vocabulary[id]).join('');
  }

  #count(change: 1 | -1, { waveform }: RecognitionRequest): void {
    this.inFlight += change;
    this.samplesInFlight += change * waveform.length;
    this.maxInFlight = Math.max(this.maxInFlight, this.inFlight);
    this.maxSamplesInFlight = Math.max(this.maxSamplesInFlight, this.samplesInFlight);
  }
}

/** Tokens of equal length from the window's start to its end, the end of text in the last frame. */
function evenAttention(tokens: readonly RecognizedToken[], samples: number): TokenAttention {
  const samplesPerFrame = SAMPLE_RATE_HZ / 50;
  const count = tokens.filter(({ kind }) => kind === 'text').length;
  const frames = Math.max(1, Math.floor(samples / samplesPerFrame));
  const weights = new Float32Array((count + 1) * frames);
  for (let frame = 0; frame < frames; frame++) {
    const token = frame === frames - 1 ? count : Math.floor((frame * count) / (frames - 1));
    weights[token * frames + frame] = 1;
  }
  return { weights, frames, samplesPerFrame };
}
