import { onlyTrack } from './audio-tracks.ts';
import type { DecodedAudio, DecodeTask } from './decode-task.ts';
import { decodeByFfmpeg } from './ffmpeg-decode.ts';
import type { AudioLimits } from './limits.ts';
import { decodeWav } from './wav.ts';

/**
 * Writes a recording as 16 kHz float32 samples: a 16 kHz WAV directly, everything else by ffmpeg.
 * @throws {SttError} AUDIO_UNDECODABLE, AUDIO_UNSUPPORTED, AUDIO_WITHOUT_SOUND, AUDIO_EMPTY,
 * AUDIO_TOO_LONG, INPUT_INVALID, FFMPEG_MISSING, DECODE_TIMEOUT, DISK_FULL; and the signal's reason.
 */
export async function decodeAudio(
  task: DecodeTask,
  limits: AudioLimits,
  signal: AbortSignal,
): Promise<DecodedAudio> {
  const warnings =
    task.mediaType === 'wav' ? await decodeWav(task, limits.maxSec, signal) : undefined;
  if (warnings === undefined) return decodeByFfmpeg(task, limits, signal);
  return { warnings, tracks: onlyTrack(task.audioTrack) };
}
