import type { SampleRange } from '../audio/time.ts';

/** Speech probabilities of one recording, frame by frame; keeps the network's state in between. */
export interface VoiceActivityStream {
  /**
   * One probability per `windowSamples` samples. `waveform` must hold a whole number of windows,
   * except for the last piece of the recording, which is padded with silence. A push that fails changes
   * nothing: the same piece may be pushed again.
   */
  push(waveform: Float32Array, signal: AbortSignal): Promise<Float32Array>;
}

export interface VoiceActivityModel {
  /** Samples covered by one probability. */
  readonly windowSamples: number;
  /** Whether it runs beside the recogniser: neither takes the other's time. */
  readonly isIndependent: boolean;
  openStream(): VoiceActivityStream;
}

export type Task = 'transcribe' | 'translate';

export type Priority = 'realtime' | 'file';

/** Who waits for a window, and how urgently. */
export interface Scheduling {
  /** Realtime windows are decoded before those of files. */
  readonly priority: Priority;
  /** Tenants are served in turn; those without one, null, share a turn. */
  readonly tenant: string | null;
  /**
   * A window of the same tenant and priority that still waits under this name gives up its place in
   * the queue to this one and fails with JOB_CANCELLED.
   */
  readonly replaces?: string;
}

/** Rules of decoding beside the defaults; windows with the same rules are decoded together. */
export interface DecodingRules {
  /** Beams of a search at temperature 0, 1–8; 1, the default, takes the likeliest token each time. */
  readonly beamSize?: number;
  /** Beam search: stop after `beamSize · patience` hypotheses have ended; 1 by default. */
  readonly patience?: number;
  /** Exponent of Google's length penalty when hypotheses are ranked; by default their plain mean. */
  readonly lengthPenalty?: number;
  /** Above temperature 0: texts sampled per window, of which the likeliest is kept; 1 by default. */
  readonly bestOf?: number;
  /** Divides the score of what has been said in this window; 1, none, by default. */
  readonly repetitionPenalty?: number;
  /** No sequence of so many tokens is said twice in a window; 0, none, by default. */
  readonly noRepeatNgramSize?: number;
  /** Token ids never to be said, instead of the model's own list; in it −1 stands for that list. */
  readonly suppressTokens?: readonly number[];
  /** Numbers are spelt out: no token with a digit or a symbol of numbers is said. */
  readonly suppressNumerals?: boolean;
}

/** What the recogniser is asked for one window of at most `maxWindowSamples`. */
export interface RecognitionRequest {
  readonly waveform: Float32Array<ArrayBuffer>;
  readonly task: Task;
  /** Language code, or null to detect it in this window. */
  readonly language: string | null;
  /** Languages that the detection chooses from; all that the model knows by default. */
  readonly languages?: readonly string[];
  /** Whether timestamp tokens are wanted between the text tokens. */
  readonly timestamps: boolean;
  /** 0 picks the most likely token; above it tokens are sampled from the tempered distribution. */
  readonly temperature: number;
  /** Names to spell right, or what was said before: as much of its end as the model takes. */
  readonly prompt: string | null;
  /** What was said before: as much of its end as fits behind the prompt. */
  readonly previousText?: string;
  /** Whether word times are wanted from how the text attends to the audio; off by default. */
  readonly attention?: boolean;
  /**
   * Whether a short window may be padded to less than the model was trained with: quicker, and now and
   * then another word. Off by default.
   */
  readonly shortContext?: boolean;
  /** By default a file's window without a tenant. */
  readonly scheduling?: Scheduling;
  readonly rules?: DecodingRules;
}

/** How much each text token of a window attends to each moment of its audio. */
export interface TokenAttention {
  /**
   * `[text tokens + 1, frames]`, row-major; the last row is the end of text. Any real number: only
   * the differences matter.
   */
  readonly weights: Float32Array;
  readonly frames: number;
  readonly samplesPerFrame: number;
}

export type RecognizedToken =
  | { readonly kind: 'text'; readonly id: number; readonly logProb: number }
  | { readonly kind: 'timestamp'; readonly offsetSamples: number; readonly logProb: number };

export interface Recognition {
  /** Without prompt and end of text. */
  readonly tokens: readonly RecognizedToken[];
  /** Mean log-probability over the tokens and the end of text, as OpenAI's `avg_logprob`. */
  readonly avgLogProb: number;
  readonly noSpeechProb: number;
  readonly language: string;
  /**
   * Of the detection, over the languages that it chose from; 1 when the language was given, 0 when
   * the model knows only one and none was given.
   */
  readonly languageProbability: number;
  /** Where it was asked for. */
  readonly attention?: TokenAttention;
  /** Of the prompt's beginning, which was left out as the model takes no more; none where all fits. */
  readonly droppedPromptTokens?: number;
  /** The text did not end by itself: it repeated one cycle, or had more tokens than can be said. */
  readonly stoppedBy?: 'loop' | 'limit';
}

export interface SpeechRecognizer {
  readonly modelName: string;
  readonly maxWindowSamples: number;
  /** Language codes that the model knows. */
  readonly languages: readonly string[];
  /** How many windows are decoded together at most; more concurrent requests only queue. */
  readonly batchSize: number;
  /** Beams of a second search where the greedy text is doubtful; 1 by default, which is none. */
  readonly retryBeamSize?: number;
  /**
   * Makes ready what decoding by these rules takes beyond the usual, to be called once for a job.
   * @throws {SttError} MODEL_*, GPU_OUT_OF_MEMORY: then no window can be decoded by them.
   */
  prepare?(rules: DecodingRules, signal: AbortSignal): Promise<void>;
  /** Concurrent calls, also of different jobs, are decoded together. */
  recognize(request: RecognitionRequest, signal: AbortSignal): Promise<Recognition>;
  /** Text of token ids; never half a character. */
  textOf(tokenIds: readonly number[]): string;
}

export interface Word {
  readonly text: string;
  readonly range: SampleRange;
  /** Mean probability of the word's tokens, 0–1. */
  readonly confidence: number;
  readonly speaker?: string;
  /** Counted from 0, where each channel is transcribed by itself. */
  readonly channel?: number;
}

export interface Segment {
  readonly text: string;
  readonly range: SampleRange;
  /** exp of the mean log-probability of its tokens, 0–1. */
  readonly confidence: number;
  readonly words: readonly Word[];
  readonly speaker?: string;
  /** Counted from 0, where each channel is transcribed by itself. */
  readonly channel?: number;
  /** Where each window has a language of its own. */
  readonly language?: string;
  readonly avgLogProb: number;
  readonly noSpeechProb: number;
  readonly compressionRatio: number;
  readonly temperature: number;
}

/** Words timed by the recogniser's own attention, or by aligning the text with a CTC model. */
export type Alignment = 'attention' | 'ctc';

/** Something the caller should know about a result that is otherwise good. */
export interface TranscriptWarning {
  readonly code: string;
  readonly message: string;
  /** How often it happened, where that can be counted. */
  readonly count?: number;
  /** The parts of the recording that it is about. */
  readonly ranges?: readonly SampleRange[];
  /** Of a recording that is cut off: how long it should be, where that is known, and is. */
  readonly announcedSec?: number;
  readonly decodedSec?: number;
}

export interface Transcript {
  readonly segments: readonly Segment[];
  readonly language: string;
  readonly languageProbability: number;
  readonly audioSamples: number;
  readonly modelName: string;
  /** How words were timed; null where none were. */
  readonly alignment: Alignment | null;
  readonly warnings: readonly TranscriptWarning[];
}

/** Who of a few people speaks in each frame of a short window. */
export interface SpeakerSegmentationModel {
  readonly windowSamples: number;
  /** Distance between windows that suits the model's cost; a multiple of `frameSamples`. */
  readonly stepSamples: number;
  readonly framesPerWindow: number;
  readonly frameSamples: number;
  /** Sample of a window that the middle of its first frame falls on. */
  readonly firstFrameCentre: number;
  /** People that can be told apart within one window. */
  readonly localSpeakers: number;
  readonly batchSize: number;
  /**
   * `[windows, windowSamples]` → probability that each person speaks, `[windows, framesPerWindow,
   * localSpeakers]`, row-major. Which person comes first has no meaning across windows.
   */
  segment(waveforms: Float32Array<ArrayBuffer>, signal: AbortSignal): Promise<Float32Array>;
}

/** What a voice sounds like, as a vector. */
export interface SpeakerEmbeddingModel {
  /** Vectors of models with other names cannot be compared with this one's. */
  readonly name: string;
  readonly windowSamples: number;
  /** Numbers in a vector. */
  readonly dimensions: number;
  /**
   * Up to which cosine distance two centroids count as one speaker's: `distance`, and `scatter` ÷ number
   * of embedding windows more for each of them.
   */
  readonly sameSpeaker: {
    readonly distance: number;
    readonly scatter: number;
    /** Squared distance, summed over the embeddings, that a change of speaker must explain. */
    readonly changePoint: number;
  };
  /** When a voice of another recording is this person's. */
  readonly knownSpeaker: {
    /** Cosine distance, at most. */
    readonly distance: number;
    /** By how much everyone else must be farther away. */
    readonly margin: number;
    /** Speech that must be heard. */
    readonly minSamples: number;
  };
  readonly batchSize: number;
  /** `[windows, windowSamples]` → a unit vector for each. */
  embed(windows: Float32Array<ArrayBuffer>, signal: AbortSignal): Promise<readonly Float32Array[]>;
}

/** Characters that a CTC model writes, and what stands between them. */
export interface CtcVocabulary {
  /** Class of each character or jamo, as the model spells it: in one case only, say. */
  readonly classOf: ReadonlyMap<string, number>;
  readonly blankId: number;
  /** What the model writes between words; null where it writes nothing. */
  readonly delimiterId: number | null;
}

/** A CTC model's log-probabilities, `[frames, classes]`, row-major. */
export interface Emissions {
  readonly logProbs: Float32Array;
  readonly frames: number;
  readonly classes: number;
}

/** A CTC model of one language that texts are aligned with. */
export interface AlignmentModel {
  readonly vocabulary: CtcVocabulary;
  readonly samplesPerFrame: number;
  /** Samples that one frame hears. */
  readonly receptiveFieldSamples: number;
  readonly maxWindowSamples: number;
  readonly batchSize: number;
  /** Concurrent calls, also of different jobs, run together; padding of the batch is cut off. */
  emissions(
    waveform: Float32Array<ArrayBuffer>,
    scheduling: Scheduling,
    signal: AbortSignal,
  ): Promise<Emissions>;
}

export interface AlignmentModels {
  /** Whether there is a model for a language, be it loaded or not. */
  supports(language: string): boolean;
  /**
   * The model for a language, loaded when first asked for; null where there is none. Who aborts waits
   * no longer; loading goes on for the others who wait.
   * @throws {SttError} MODEL_*, DISK_FULL when it cannot be had; the reason of `signal`.
   */
  forLanguage(language: string, signal: AbortSignal): Promise<AlignmentModel | null>;
}
