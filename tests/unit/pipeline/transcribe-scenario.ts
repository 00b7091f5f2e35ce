import { type SampleRange, samplesToSec, secToSamples } from '../../../audio/time.ts';
import type { Segment, Transcript } from '../../../pipeline/contracts.ts';
import {
  DEFAULT_TRANSCRIBE_OPTIONS,
  type TranscribeHooks,
  type TranscribeOptions,
} from '../../../pipeline/options.ts';
import { transcribe } from '../../../pipeline/transcribe.ts';
import { type RecognitionScript, ScriptedRecognizer } from '../../fakes/scripted-recognizer.ts';
import { ScriptedVoiceActivity } from '../../fakes/scripted-voice-activity.ts';
import { SyntheticWaveform } from '../../fakes/synthetic-waveform.ts';

export const rangeOf = (startSec: number, endSec: number): SampleRange => ({
  start: secToSamples(startSec),
  end: secToSamples(endSec),
});

/** `count` regions of 20 s with 15 s between them: one chunk each. */
export const chunksOfSpeech = (count: number) =>
  Array.from({ length: count }, (_, index) => rangeOf(5 + 35 * index, 25 + 35 * index));

export const soon = () => new Promise<void>((resolve) => setImmediate(resolve));
/** Settles only through its signal. */
export const untilAborted = (signal: AbortSignal) =>
  new Promise<never>((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    else signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });

/** Answers with the chunk's number in `chunksOfSpeech`. */
export const chunkNumber: RecognitionScript = ({ waveform }) => ({
  text: `chunk ${Math.round((waveform[0]! - 5) / 35)}`,
});

export interface TranscribeScenario {
  readonly speech?: readonly SampleRange[];
  readonly durationSec?: number;
  readonly script?: RecognitionScript;
  readonly recognizer?: ScriptedRecognizer;
  readonly options?: Partial<TranscribeOptions>;
  readonly hooks?: TranscribeHooks;
}

/** A transcription with fakes: what it works with, and `run` to start it. */
export function prepare(scenario: TranscribeScenario = {}) {
  const { speech = chunksOfSpeech(3), script = chunkNumber, options, hooks = {} } = scenario;
  const durationSec = scenario.durationSec ?? samplesToSec(speech.at(-1)?.end ?? 0) + 10;
  const recognizer = scenario.recognizer ?? new ScriptedRecognizer(script);
  const voiceActivity = new ScriptedVoiceActivity(speech);
  const waveform = new SyntheticWaveform(secToSamples(durationSec));
  const abort = new AbortController();
  const run = (): Promise<Transcript> =>
    transcribe(
      waveform,
      { ...DEFAULT_TRANSCRIBE_OPTIONS, language: 'en', ...options },
      { recognizer, voiceActivity },
      hooks,
      abort.signal,
    );
  return { recognizer, voiceActivity, waveform, abort, run };
}

export const textsOf = (segments: readonly Segment[]) => segments.map(({ text }) => text);
