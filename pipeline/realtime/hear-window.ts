import type { SpeakerEmbeddingModel, SpeechRecognizer } from '../contracts.ts';
import { type LiveWindow, recognizeWindow } from './recognize-window.ts';
import type { WindowResult } from './session-state.ts';
import { windowVoice } from './window-voice.ts';

export interface HearingModels {
  readonly recognizer: SpeechRecognizer;
  readonly embedding: SpeakerEmbeddingModel;
}

/** What a window says and, where the session asks for it, what its end sounds like. */
export async function hearWindow(
  window: LiveWindow,
  { recognizer, embedding }: HearingModels,
  signal: AbortSignal,
): Promise<WindowResult> {
  const [result, voice] = await Promise.all([
    recognizeWindow(window, recognizer, signal),
    window.diarize ? windowVoice(window.waveform, embedding, signal) : null,
  ]);
  return voice === null ? result : { ...result, voice };
}
