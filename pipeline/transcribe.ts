import { secToSamples } from '../audio/time.ts';
import type { Waveform } from '../audio/waveform.ts';
import { runConcurrently } from './bounded-concurrency.ts';
import type { SpeechRecognizer, Transcript, VoiceActivityModel } from './contracts.ts';
import type { TranscribeHooks, TranscribeOptions } from './options.ts';
import { Transcription } from './transcription.ts';

export interface TranscribeModels {
  readonly recognizer: SpeechRecognizer;
  readonly voiceActivity: VoiceActivityModel;
}

/** A full batch in work and another one waiting, so that the engine never idles. */
const BATCHES_IN_FLIGHT = 2;

/**
 * The transcript of a recording of any length: speech is found, cut into chunks and recognised
 * while the rest is still being read. Settles only when nothing of it is running any more.
 *
 * With `language: null` the first chunks with speech are recognised, a few at a time, until their
 * language is certain; it is taken for all. A recording without speech has the language that was certain
 * before, else `und` with probability 0.
 *
 * A chunk that cannot be recognised is missing, a part in which voice activity fails is taken for speech,
 * and a warning says so.
 *
 * @throws {SttError} LANGUAGE_UNSUPPORTED before anything is read; whatever the waveform or voice
 * activity throws, or the recogniser if it cannot be prepared, fails for every chunk or for good; the reason of `signal`
 * when it aborts.
 */
// biome-ignore lint/complexity/useMaxParams: what, how, with which models, who watches, until when
export async function transcribe(
  waveform: Waveform,
  options: TranscribeOptions,
  models: TranscribeModels,
  hooks: TranscribeHooks,
  signal: AbortSignal,
): Promise<Transcript> {
  const { batchSize, maxWindowSamples } = models.recognizer;
  const ownLimit = options.conditionOnPreviousText ? 1 : BATCHES_IN_FLIGHT * batchSize;
  const windowsInFlight = Math.min(ownLimit, options.maxWindowsInFlight ?? ownLimit);
  const transcription = new Transcription(waveform, models, hooks, {
    ...options,
    maxChunkSamples: Math.min(secToSamples(options.maxChunkSec), maxWindowSamples),
    maxPauseSamples: secToSamples(options.maxPauseSec),
    chunksAtOnce: models.voiceActivity.isIndependent ? 1 : Math.min(batchSize, windowsInFlight),
    listenAtOnce: Math.min(options.languageDetectionChunks, batchSize, windowsInFlight),
  });
  await models.recognizer.prepare?.(options.rules, signal);
  await runConcurrently(
    (stop) => transcription.chunksWithKnownLanguage(stop),
    { limit: windowsInFlight, work: (chunk, stop) => transcription.recognize(chunk, stop) },
    signal,
  );
  return transcription.finish();
}
