import type { AudioSource } from '../../audio/open-audio.ts';
import { secToSamples } from '../../audio/time.ts';
import type { SpooledWaveform } from '../../audio/waveform.ts';
import type { JobServices } from '../../handler/run-job.ts';
import type { Segment } from '../../pipeline/contracts.ts';
import type { RecordingOptions, RecordingTranscript } from '../../pipeline/process-recording.ts';
import { SyntheticWaveform } from './synthetic-waveform.ts';

/** A segment in seconds; everything else has a value that no default has. */
export const fakeSegment = (
  startSec: number,
  endSec: number,
  text: string,
  more: Partial<Segment> = {},
): Segment => ({
  text,
  range: { start: secToSamples(startSec), end: secToSamples(endSec) },
  confidence: 0.9,
  words: [],
  avgLogProb: -0.25,
  noSpeechProb: 0.125,
  compressionRatio: 1.5,
  temperature: 0.2,
  ...more,
});

export const fakeTranscript = (more: Partial<RecordingTranscript> = {}): RecordingTranscript => ({
  segments: [fakeSegment(0, 1.5, 'And so'), fakeSegment(1.5, 4, 'my fellow Americans')],
  language: 'en',
  languageProbability: 0.98,
  audioSamples: secToSamples(4),
  modelName: 'fake-whisper',
  alignment: null,
  warnings: [],
  speakers: [],
  turns: [],
  embeddingModel: null,
  decodedRows: 2,
  ...more,
});

export interface FakeJobServices extends JobServices {
  readonly sources: readonly AudioSource[];
  readonly optionsSeen: readonly RecordingOptions[];
  readonly openWaveforms: () => number;
}

/** Opens anything and answers every recording with the same transcript; counts what is left open. */
export function fakeJobServices(overrides: Partial<JobServices> = {}): FakeJobServices {
  const sources: AudioSource[] = [];
  const optionsSeen: RecordingOptions[] = [];
  let openWaveforms = 0;
  return {
    sources,
    optionsSeen,
    openWaveforms: () => openWaveforms,
    recognizer: overrides.recognizer ?? {
      modelName: 'fake-whisper',
      languages: ['en', 'ko', 'ja', 'zh', 'de'],
    },
    async openAudio(source, signal) {
      sources.push(source);
      if (overrides.openAudio) await overrides.openAudio(source, signal);
      openWaveforms++;
      const close = async (): Promise<void> => {
        openWaveforms--;
      };
      return Object.assign(new SyntheticWaveform(secToSamples(4)), { close, warnings: [] });
    },
    async transcribe(waveform, options, hooks, signal) {
      optionsSeen.push(options);
      if (overrides.transcribe) return overrides.transcribe(waveform, options, hooks, signal);
      hooks.onStage?.('vad', 12);
      hooks.onProgress?.(0.5);
      hooks.onStage?.('recognize', 250);
      hooks.onProgress?.(1);
      return fakeTranscript();
    },
  };
}

/** A recording that cannot be removed afterwards. */
export const stubbornWaveform = (): SpooledWaveform =>
  Object.assign(new SyntheticWaveform(secToSamples(4)), {
    close: () => Promise.reject(new Error('EBUSY')),
    warnings: [],
  });
