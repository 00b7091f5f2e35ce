import type { SampleRange } from '../../audio/time.ts';
import type { Waveform } from '../../audio/waveform.ts';
import type { SpeakerEmbeddingModel, SpeakerSegmentationModel } from '../../pipeline/contracts.ts';

export interface ScriptedTurn {
  readonly speaker: number;
  readonly range: SampleRange;
}

/**
 * A recording whose samples say who speaks: speaker 0 adds 1, speaker 1 adds 2, speaker 2 adds 4.
 * The models below read that, so that every other step of diarization is the real one.
 */
export function scriptedConversation(
  turns: readonly ScriptedTurn[],
  sampleCount: number,
): Waveform & { readonly readSamples: () => number } {
  const samples = new Float32Array(sampleCount);
  for (const { speaker, range } of turns) {
    for (let at = range.start; at < range.end; at++) samples[at]! += 2 ** speaker;
  }
  let readSamples = 0;
  return {
    sampleCount,
    readSamples: () => readSamples,
    read({ start, end }) {
      if (start < 0 || end > sampleCount) throw new RangeError('Read outside the recording');
      readSamples += end - start;
      return Promise.resolve(samples.slice(start, end));
    },
  };
}

/** Hears everyone, in an order of its own in every window: the first to speak comes first. */
export class ScriptedSegmentation implements SpeakerSegmentationModel {
  readonly windowSamples = 80_000;
  readonly stepSamples: number;
  readonly framesPerWindow = 293;
  readonly frameSamples = 270;
  readonly firstFrameCentre = 495;
  readonly localSpeakers = 3;
  readonly batchSize = 4;

  constructor(step = 0.5) {
    this.stepSamples = Math.round((step * this.windowSamples) / 270) * 270;
  }

  segment(waveforms: Float32Array, signal: AbortSignal): Promise<Float32Array> {
    signal.throwIfAborted();
    const windows = waveforms.length / this.windowSamples;
    const scores = new Float32Array(windows * this.framesPerWindow * this.localSpeakers);
    for (let window = 0; window < windows; window++) {
      const order: number[] = [];
      for (let frame = 0; frame < this.framesPerWindow; frame++) {
        const centre = window * this.windowSamples + this.firstFrameCentre + frame * 270;
        for (const speaker of speakersIn(waveforms[centre]!)) {
          if (!order.includes(speaker)) order.push(speaker);
          const row = (window * this.framesPerWindow + frame) * this.localSpeakers;
          scores[row + order.indexOf(speaker)] = 0.9;
        }
      }
    }
    return Promise.resolve(scores);
  }
}

/** Each speaker has an axis of their own, and a little of the next one's. */
export class ScriptedEmbedding implements SpeakerEmbeddingModel {
  readonly name: string = 'scripted';
  readonly windowSamples = 8000;
  readonly dimensions = 4;
  readonly sameSpeaker = { distance: 0.1, scatter: 0.15, changePoint: 0.5 };
  readonly knownSpeaker = { distance: 0.1, margin: 0.1, minSamples: 16_000 };
  readonly batchSize = 3;

  embed(windows: Float32Array, signal: AbortSignal): Promise<readonly Float32Array[]> {
    signal.throwIfAborted();
    return Promise.resolve(
      Array.from({ length: windows.length / this.windowSamples }, (_, excerpt) => {
        const vector = new Float32Array(4);
        const start = excerpt * this.windowSamples;
        for (const sample of windows.subarray(start, start + this.windowSamples)) {
          for (const speaker of speakersIn(sample)) vector[speaker]! += 1;
        }
        const length = Math.hypot(...vector) || 1;
        return vector.map((value) => value / length);
      }),
    );
  }
}

const speakersIn = (sample: number): number[] =>
  [0, 1, 2].filter((speaker) => (Math.round(sample) >> speaker) % 2 === 1);
