import { SttError } from '../core/errors.ts';
import { type AudioTracks, findTrack } from './audio-tracks.ts';
import { type DecodeTask, tooLong } from './decode-task.ts';
import { findFfmpeg } from './ffmpeg-path.ts';
import { runFfmpeg } from './ffmpeg-process.ts';
import type { AudioLimits } from './limits.ts';
import type { MediaType } from './media-type.ts';
import { SAMPLE_RATE_HZ } from './time.ts';
import { WavStream } from './wav-stream.ts';

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
 * Writes one audio track as 16 kHz float32 samples of all its channels, and returns which. What could
 * be decoded of a damaged file is kept.
 * @throws {SttError} AUDIO_UNDECODABLE, AUDIO_UNSUPPORTED, AUDIO_WITHOUT_SOUND, AUDIO_EMPTY,
 * AUDIO_TOO_LONG, INPUT_INVALID, FFMPEG_MISSING, DECODE_TIMEOUT, DISK_FULL
 */
export async function decodeByFfmpeg(
  task: DecodeTask,
  limits: AudioLimits,
  signal: AbortSignal,
): Promise<AudioTracks> {
  const { output, workingFolder, mediaType } = task;
  const call = {
    ffmpegPath: await findFfmpeg(limits.ffmpegPath),
    argv: ['-v', 'info', ...inputArguments(task)],
    workingFolder,
    timeoutMs: limits.decodeTimeoutMs ?? defaultTimeoutMs(limits.maxSec),
  };
  const tracks = await findTrack({ mediaType, asked: task.audioTrack }, call, signal);
  const maxFrames = Math.floor(limits.maxSec * SAMPLE_RATE_HZ);
  const stream = new WavStream((layout) => output.begin(layout));
  const argv = [...inputArguments(task), ...outputArguments(tracks.chosen, limits.maxSec)];
  const { exitCode, complaints } = await runFfmpeg(
    { ...call, argv: ['-v', 'error', ...argv] },
    async (bytes) => {
      const frames = await stream.push(bytes);
      if (frames.length > 0) await output.write(frames);
      if (output.frameCount > maxFrames) throw tooLong(limits.maxSec);
    },
    signal,
  );
  if (output.frameCount === 0) throw explainSilence(exitCode, complaints);
  return tracks;
}

/** Of a layout that the file does not name nothing is guessed. */
const inputArguments = ({ path, mediaType }: DecodeTask): string[] => [
  ...['-nostdin', '-hide_banner', '-nostats'],
  ...['-max_alloc', String(MAX_ALLOCATION_BYTES), '-threads', '1'],
  ...['-protocol_whitelist', 'file,pipe', '-format_whitelist', DEMUXERS[mediaType]],
  ...['-codec_whitelist', CODECS, '-guess_layout_max', '0', '-i', `file:${path}`],
];

/** A WAV file, since its header says how many channels there are, and of which layout. */
function outputArguments(track: number, maxSec: number): string[] {
  const beyondLimitSec = maxSec + 1; // one second more than allowed shows that it was exceeded
  return [
    ...['-map', `0:a:${track}`, '-vn', '-sn', '-dn', '-map_metadata', '-1', '-threads', '1'],
    ...['-t', String(beyondLimitSec), '-ar', String(SAMPLE_RATE_HZ)],
    ...['-c:a', 'pcm_f32le', '-fflags', '+bitexact', '-f', 'wav', 'pipe:1'],
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
