import type { SampleRange } from '../../audio/time.ts';
import type { SpeakerEmbeddingModel, SpeakerSegmentationModel } from '../contracts.ts';
import type { KnownSpeakers } from './known-speakers.ts';

export interface DiarizeModels {
  readonly segmentation: SpeakerSegmentationModel;
  readonly embedding: SpeakerEmbeddingModel;
}

export interface DiarizeOptions {
  /** Null: found from the speakers, at least `minSpeakers` and at most `maxSpeakers`. */
  readonly numSpeakers: number | null;
  readonly minSpeakers: number;
  readonly maxSpeakers: number | null;
  /** Speakers by name, as an earlier `Diarization` gave them; they label who is found. */
  readonly knownSpeakers: KnownSpeakers;
  /** Shorter turns are dropped, shorter pauses of one speaker are filled. */
  readonly minTurnMs: number;
  readonly minPauseMs: number;
}

export const DEFAULT_DIARIZE_OPTIONS: DiarizeOptions = {
  numSpeakers: null,
  minSpeakers: 1,
  maxSpeakers: null,
  knownSpeakers: new Map(),
  minTurnMs: 50,
  minPauseMs: 100,
};

/** One span of speech of one speaker. */
export interface SpeakerTurn {
  readonly speaker: string;
  readonly range: SampleRange;
}

export interface DiarizedSpeaker {
  /** `SPEAKER_00`, … by first appearance, or the name of a known speaker. */
  readonly label: string;
  /** Unit vector. */
  readonly embedding: Float32Array;
  /** Of all turns, overlapped speech included. */
  readonly totalSamples: number;
  /** Of a known speaker: cosine of this voice and the known one. */
  readonly similarity?: number;
}

export interface Diarization {
  /** Ordered by start; turns of different speakers may overlap. */
  readonly turns: readonly SpeakerTurn[];
  /** Ordered and without overlap: the likelier speaker where two speak at once. */
  readonly exclusiveTurns: readonly SpeakerTurn[];
  /** By first appearance. */
  readonly speakers: readonly DiarizedSpeaker[];
  /** What made the embeddings. */
  readonly embeddingModel: string;
}
