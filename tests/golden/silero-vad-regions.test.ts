import { expect, test } from 'vitest';
import { msToSamples, type SampleRange, secToSamples } from '../../audio/time.ts';
import { cutAtLongestPause } from '../../pipeline/speech-cuts.ts';
import { findSpeechRegions, type SpeechRegionOptions } from '../../pipeline/speech-regions.ts';
import { describeWithShared, readGolden } from './shared-data.ts';

interface Golden {
  /** Null where the reference did not write them down. */
  readonly probs: readonly number[] | null;
  readonly default: readonly SampleRange[];
  readonly max30: readonly SampleRange[];
}

const goldenOf = (name: string): Golden =>
  readGolden<Readonly<Record<string, Golden>>>('silero-vad.json')[name]!;

/** Recordings whose probabilities the reference wrote down, with their length in samples. */
const RECORDINGS = [
  ['audio/synth/meeting-en.flac', 755_904],
  ['audio/real/sample.wav', 480_000],
] as const;

const SILERO_DEFAULTS: SpeechRegionOptions = {
  windowSamples: 512,
  onsetThreshold: 0.5,
  offsetThreshold: 0.35,
  minSpeechSamples: msToSamples(250),
  minSilenceSamples: msToSamples(100),
  speechPadSamples: msToSamples(30),
  maxSpeechSamples: Number.POSITIVE_INFINITY,
  cutRule: cutAtLongestPause,
};

/** Not written down with the reference; found by search. Its `jfk.flac` needs 385–400 ms too. */
const MAX30: SpeechRegionOptions = {
  ...SILERO_DEFAULTS,
  minSilenceSamples: msToSamples(400),
  speechPadSamples: msToSamples(100),
  maxSpeechSamples: secToSamples(10),
};

describeWithShared('speech regions of silero-vad 6.2', () => {
  test.each(RECORDINGS)('%s: default options', (name, audioSamples) => {
    const { probs, default: expected } = goldenOf(name);
    const regions = findSpeechRegions(Float32Array.from(probs!), audioSamples, SILERO_DEFAULTS);
    expect(regions).toEqual(expected);
  });

  test.each(RECORDINGS)('%s: limited length and wider pads', (name, audioSamples) => {
    const { probs, max30 } = goldenOf(name);
    const regions = findSpeechRegions(Float32Array.from(probs!), audioSamples, MAX30);
    expect(regions).toEqual(max30);
  });
});
