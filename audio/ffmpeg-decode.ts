import { SttError } from '../core/errors.ts';
import { type DecodeTask, tooLong } from './decode-task.ts';
import { findFfmpeg } from './ffmpeg-path.ts';
import { runFfmpeg } from './ffmpeg-process.ts';
import type { AudioLimits } from './limits.ts';
import type { MediaType } from './media-type.ts';
import { writeAt } from './spool.ts';
import { BYTES_PER_SAMPLE } from './spooled-waveform.ts';
import { SAMPLE_RATE_HZ } from './time.ts';

/** The demuxers a container may need; playlists, DASH, concat and devices are in none. */
const DEMUXERS: Record<MediaType, string> = {
  wav: 'wav',
  mp3: 'mp3,flac', // an ID3 tag may stand before FLAC
  mp4: 'mov',
  flac: 'flac',
  ogg: 'ogg',
  matroska: 'matroska',
};
const PCM_ENCODINGS = 'u8 s8 s16le s16be s24le s24be s32le s32be f32le f32be f64le f64be';
/** Audio only, so that ffmpeg does not even probe the pictures. */
const CODECS = [
  'aac,aac_fixed,aac_latm,ac3,eac3,alac,amrnb,amrwb,libopencore_amrnb,libopencore_amrwb,flac',
  'mp1,mp1float,mp2,mp2float,mp3,mp3float,opus,libopus,vorbis,libvorbis,speex,libspeex',
  'adpcm_ms,adpcm_ima_wav,adpcm_ima_qt,adpcm_yamaha,gsm,gsm_ms,libgsm_ms,truespeech',
  'pcm_alaw,pcm_mulaw',
  ...PCM_ENCODINGS.split(' ').map((encoding) => `pcm_${encoding}`),
].join(',');
const MAX_ALLOCATION_BYTES = 256 * 1024 * 1024;

/** ffmpeg runs a hundred times faster than real time on one core; this leaves it a tenth of that. */
const defaultTimeoutMs = (maxSec: number): number => 30_000 + maxSec * 100;

/**
 * Writes the first audio track as 16 kHz mono int16 and returns the number of samples. What
 * could be decoded of a damaged file is kept.
 * @throws {SttError} AUDIO_UNDECODABLE, AUDIO_WITHOUT_SOUND, AUDIO_EMPTY, AUDIO_TOO_LONG,
 * FFMPEG_MISSING, DECODE_TIMEOUT, DISK_FULL
 */
export async function decodeByFfmpeg(
  task: DecodeTask,
  limits: AudioLimits,
  signal: AbortSignal,
): Promise<number> {
  const ffmpegPath = await findFfmpeg(limits.ffmpegPath);
  const maxBytes = Math.floor(limits.maxSec * SAMPLE_RATE_HZ) * BYTES_PER_SAMPLE;
  let position = 0;
  const { exitCode, complaints } = await runFfmpeg(
    {
      ffmpegPath,
      argv: decodeArguments(task, limits.maxSec),
      workingFolder: task.workingFolder,
      timeoutMs: limits.decodeTimeoutMs ?? defaultTimeoutMs(limits.maxSec),
    },
    async (bytes) => {
      if (position + bytes.length > maxBytes) throw tooLong(limits.maxSec);
      position = await writeAt(task.output.handle, bytes, position);
    },
    signal,
  );
  if (position < BYTES_PER_SAMPLE) throw explainSilence(exitCode, complaints);
  return Math.floor(position / BYTES_PER_SAMPLE);
}

/** Options before `-i` bind the input, those behind it the output. */
function decodeArguments({ path, mediaType }: DecodeTask, maxSec: number): string[] {
  const beyondLimitSec = maxSec + 1; // one second more than allowed shows that it was exceeded
  return [
    ...['-nostdin', '-hide_banner', '-nostats', '-v', 'error'],
    ...['-max_alloc', String(MAX_ALLOCATION_BYTES), '-threads', '1'],
    ...['-protocol_whitelist', 'file,pipe', '-format_whitelist', DEMUXERS[mediaType]],
    ...['-codec_whitelist', CODECS, '-i', `file:${path}`],
    ...['-map', '0:a:0', '-vn', '-sn', '-dn', '-map_metadata', '-1', '-threads', '1'],
    ...['-t', String(beyondLimitSec), '-ac', '1', '-ar', String(SAMPLE_RATE_HZ)],
    ...['-c:a', 'pcm_s16le', '-f', 's16le'],
    ...['-fs', String(Math.ceil(beyondLimitSec * SAMPLE_RATE_HZ * BYTES_PER_SAMPLE)), 'pipe:1'],
  ];
}

function explainSilence(exitCode: number | null, complaints: string): SttError {
  // The wording of ffmpeg 2.8 to 8 for a missing `-map` target.
  if (/matches no streams/.test(complaints)) {
    return new SttError('AUDIO_WITHOUT_SOUND', 'The file has no audio track');
  }
  if (exitCode === 0 && complaints === '') {
    return new SttError('AUDIO_EMPTY', 'The audio track has 0 samples');
  }
  return new SttError('AUDIO_UNDECODABLE', 'Nothing in the file could be decoded as audio');
}
