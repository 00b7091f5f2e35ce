import { readFile } from 'node:fs/promises';
import type {
  EndedSession,
  Refinement,
  WindowRecognizer,
} from '../../handler/realtime/contracts.ts';
import { pcm16Waveform } from '../../handler/realtime/pcm16.ts';
import type { VoiceActivityModel } from '../../pipeline/contracts.ts';

const HEADER_BYTES = 44;
const FRAME_SAMPLES = 512;

/** Networks of sessions whose audio alone is looked at: they hear nobody. */
export const DEAF: {
  readonly recognizer: WindowRecognizer;
  readonly voiceActivity: VoiceActivityModel;
} = {
  recognizer: {
    recognize: async () => ({ words: [], language: 'en', languageProbability: 1 }),
  },
  voiceActivity: {
    windowSamples: FRAME_SAMPLES,
    isIndependent: true,
    openStream: () => ({
      push: async ({ length }) => new Float32Array(Math.ceil(length / FRAME_SAMPLES)),
    }),
  },
};

/** Keeps the audio of sessions that have ended, and makes nothing of it. */
export class KeptAudio implements Refinement {
  readonly #bySession = new Map<string, Float32Array>();

  async checkWebhook(): Promise<void> {}

  async handOver({ jobId, path }: EndedSession): Promise<void> {
    this.#bySession.set(jobId, pcm16Waveform((await readFile(path)).subarray(HEADER_BYTES)));
  }

  async outcome(): Promise<undefined> {}

  audioOf(jobId: string): Float32Array {
    return this.#bySession.get(jobId) ?? new Float32Array(0);
  }
}

const ENVELOPE_SAMPLES = 160;
/** Encoders begin up to this late: 0.2 s. */
const MAX_LAG = 20;

/** The best correlation of two recordings' levels by 10 ms, at most 0.2 s apart: 1 for the same sound. */
export function likeness(expected: Float32Array, found: Float32Array): number {
  const [one, other] = [envelopeOf(expected), envelopeOf(found)];
  return Math.max(
    ...Array.from({ length: MAX_LAG }, (_, lag) => correlation(one, other.slice(lag))),
  );
}

const envelopeOf = (waveform: Float32Array): number[] =>
  Array.from({ length: Math.floor(waveform.length / ENVELOPE_SAMPLES) }, (_, block) =>
    Math.hypot(...waveform.subarray(block * ENVELOPE_SAMPLES, (block + 1) * ENVELOPE_SAMPLES)),
  );

function correlation(one: readonly number[], other: readonly number[]): number {
  const length = Math.min(one.length, other.length);
  if (length < one.length - MAX_LAG) return 0;
  const centred = (values: readonly number[]): number[] => {
    const mean = values.slice(0, length).reduce((sum, value) => sum + value, 0) / length;
    return values.slice(0, length).map((value) => value - mean);
  };
  const [left, right] = [centred(one), centred(other)];
  const product = left.reduce((sum, value, index) => sum + value * right[index]!, 0);
  return product / (Math.hypot(...left) * Math.hypot(...right));
}
