import { secToSamples } from '../../audio/time.ts';
import type { RecognitionRequest } from '../../pipeline/contracts.ts';
import { WINDOW_SAMPLES } from './transcription-graph.ts';

/** Why not less: docs/decisions/0008. */
const SHORT_CONTEXT = secToSamples(20);
/** Silence that a short context keeps behind the audio; with less Whisper goes on talking. */
const MIN_PADDING = secToSamples(5);

/** Samples that the encoder reads of a window, padding included. */
export function contextSamples({
  waveform,
  shortContext = false,
}: Pick<RecognitionRequest, 'waveform' | 'shortContext'>): number {
  const fits = waveform.length + MIN_PADDING <= SHORT_CONTEXT;
  return shortContext && fits ? SHORT_CONTEXT : WINDOW_SAMPLES;
}
