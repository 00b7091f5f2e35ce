import type { DecodingRules, Scheduling, Segment, Task } from './contracts.ts';
import type { HallucinationGuards } from './hallucinations.ts';

/** Durations in milliseconds as users set them; thresholds are probabilities. */
export interface VadOptions {
  readonly onsetThreshold: number;
  readonly offsetThreshold: number;
  readonly minSpeechMs: number;
  readonly minSilenceMs: number;
  readonly speechPadMs: number;
}

export interface TranscribeOptions {
  readonly task: Task;
  /** Language code, or null to detect it. */
  readonly language: string | null;
  /** Codes that the detection chooses from; none: all that the model knows. */
  readonly languages: readonly string[];
  /** Windows with speech that are listened to for the language, unless one is certain before. */
  readonly languageDetectionChunks: number;
  /** Whether each window has a language of its own: people switch between languages. */
  readonly multilingual: boolean;
  /** Text put before every chunk: names and words to spell right. */
  readonly prompt: string | null;
  /** Whether a chunk is told what was said before it. Chunks then wait for one another. */
  readonly conditionOnPreviousText: boolean;
  readonly rules: DecodingRules;
  /** Windows of this transcription that may be with the recogniser at once; null for its own limit. */
  readonly maxWindowsInFlight: number | null;
  readonly scheduling: Scheduling;
  readonly guards: HallucinationGuards;
  /** Tried in order until a chunk passes the quality checks. */
  readonly temperatures: readonly number[];
  readonly compressionRatioThreshold: number;
  readonly avgLogProbThreshold: number;
  readonly noSpeechThreshold: number;
  /** Longest chunk given to the recogniser; never above its own window. */
  readonly maxChunkSec: number;
  /** Longest silence within a chunk; what is longer is cut down to it. Infinity keeps all. */
  readonly maxPauseSec: number;
  /** Whether segments carry words with times, from how the text attends to the audio. */
  readonly wordTimes: boolean;
  readonly vad: VadOptions;
}

/** OpenAI's decoding thresholds and temperatures; VAD as silero-vad's own defaults but for the pad. */
export const DEFAULT_TRANSCRIBE_OPTIONS: TranscribeOptions = {
  task: 'transcribe',
  language: null,
  languages: [],
  languageDetectionChunks: 4,
  multilingual: false,
  prompt: null,
  conditionOnPreviousText: false,
  rules: {},
  maxWindowsInFlight: null,
  scheduling: { priority: 'file', tenant: null },
  guards: { silencePhrases: true, repetitionLoops: true, silentWindows: true, paddingText: true },
  temperatures: [0, 0.2, 0.4, 0.6, 0.8, 1],
  compressionRatioThreshold: 2.4,
  avgLogProbThreshold: -1,
  noSpeechThreshold: 0.6,
  maxChunkSec: 30,
  maxPauseSec: Number.POSITIVE_INFINITY,
  wordTimes: true,
  vad: {
    onsetThreshold: 0.5,
    offsetThreshold: 0.35,
    minSpeechMs: 250,
    minSilenceMs: 300,
    speechPadMs: 200,
  },
};

/** How a caller watches a transcription; every hook may be called many times and must not throw. */
export interface TranscribeHooks {
  /** `fraction` of the whole job, 0–1, never falling. */
  onProgress?(fraction: number): void;
  onStage?(stage: string, elapsedMs: number, details?: Readonly<Record<string, number>>): void;
  /** Finished segments in time order, each once. */
  onSegments?(segments: readonly Segment[]): void;
}
