import { join } from 'node:path';
import type { SttError } from '../core/errors.ts';
import type { VoiceActivityModel } from '../pipeline/contracts.ts';
import { InferenceEngine } from './engine/engine.ts';
import { SileroVad } from './vad/silero-vad.ts';

/**
 * Voice activity for live sessions, on a thread of its own: a run takes a millisecond, and behind the
 * recogniser's it would wait for one that takes a thousand.
 * @param onFatal called when its engine has died and will not come back.
 */
export async function loadVoiceActivity(
  onFatal: (error: SttError) => void,
): Promise<VoiceActivityModel> {
  const engine = new InferenceEngine({ device: 'cpu', threads: 1 }, onFatal);
  try {
    return await SileroVad.load(engine, join(import.meta.dirname, 'embedded', 'silero-vad'), true);
  } catch (error) {
    await engine.close();
    throw error;
  }
}
