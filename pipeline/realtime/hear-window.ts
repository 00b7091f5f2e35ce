import type { SpeakerEmbeddingModel, SpeechRecognizer } from '../contracts.ts';
import { type LiveWindow, recognizeWindow } from './recognize-window.ts';
import type { WindowResult } from './session-state.ts';
import { windowVoice } from './window-voice.ts';

export interface HearingModels {
  /** By the session's language, null: to be detected. */
  liveRecognizer(language: string | null): Promise<SpeechRecognizer>;
  readonly embedding: SpeakerEmbeddingModel;
}

/** What a window says and, where the session asks for it, what its end sounds like. */
export async function hearWindow(
  window: LiveWindow,
  { liveRecognizer, embedding }: HearingModels,
  signal: AbortSignal,
): Promise<WindowResult> {
  const [result, voice] = await Promise.all([
    liveRecognizer(window.language).then((recognizer) =>
      recognizeWindow(window, recognizer, signal),
    ),
    window.diarize ? windowVoice(window.waveform, embedding, signal) : null,
  ]);
  return voice === null ? result : { ...result, voice };
}
