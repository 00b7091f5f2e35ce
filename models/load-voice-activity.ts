import { join } from 'node:path';
import type { SttError } from '../core/errors.ts';
import { InferenceEngine } from './engine/engine.ts';
import { SileroVad } from './vad/silero-vad.ts';

/**
 * Voice activity alone, on the CPU: all that a gateway needs to know when someone speaks.
 * @param onFatal called when its engine has died and will not come back.
 */
export async function loadVoiceActivity(onFatal: (error: SttError) => void) {
  const engine = new InferenceEngine({ device: 'cpu', threads: 1 }, onFatal);
  try {
    const folder = join(import.meta.dirname, 'embedded', 'silero-vad');
    return {
      voiceActivity: await SileroVad.load(engine, folder, true),
      close: (): Promise<void> => engine.close(),
    };
  } catch (error) {
    await engine.close();
    throw error;
  }
}
