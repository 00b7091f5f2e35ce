import { SttError } from '../core/errors.ts';
import { type FoundTrack, findTrack } from './audio-tracks.ts';
import { findWarnings } from './audio-warnings.ts';
import { type DecodedAudio, type DecodeTask, maxSamples, tooLong } from './decode-task.ts';
import { findFfmpeg } from './ffmpeg-path.ts';
import { runFfmpeg } from './ffmpeg-process.ts';
import type { AudioLimits } from './limits.ts';
import { findLostFrames, type LostFrames } from './lost-frames.ts';
import type { MediaType } from './media-type.ts';
import { mendBoxes } from './mp4-boxes.ts';
import { RecordingClock } from './recording-clock.ts';
import { SAMPLE_RATE_HZ } from './time.ts';
import { TimedPcmReader } from './timed-pcm.ts';

/**
 * The demuxers a container may need; playlists, DASH, concat and devices are in none, nor in what
 * a container opens itself, such as the subtitles of AVI.
 */
const DEMUXERS: Record<MediaType, string> = {
  wav: 'wav',
  w64: 'w64',
  mp3: 'mp3,flac,aac', // an ID3 tag may stand before each
  aac: 'aac',
  mp4: 'mov',
  flac: 'flac',
  ogg: 'ogg',
  matroska: 'matroska',
  mpegts: 'mpegts',
  avi: 'avi',
  asf: 'asf',
  aiff: 'aiff',
  caf: 'caf',
  amr: 'amr',
};
const PCM_ENCODINGS = 'u8 s8 s16le s16be s24le s24be s32le s32be f32le f32be f64le f64be';
/** Audio only, so that ffmpeg does not even probe the pictures. */
const CODECS = [
  'aac,aac_fixed,aac_latm,ac3,eac3,alac,amrnb,amrwb,libopencore_amrnb,libopencore_amrwb,flac',
  'mp1,mp1float,mp2,mp2float,mp3,mp3float,opus,libopus,vorbis,libvorbis,speex,libspeex',
  'adpcm_ms,adpcm_ima_wav,adpcm_ima_qt,adpcm_yamaha,gsm,gsm_ms,libgsm_ms,truespeech',
  'g722,g726,g726le,g723_1,wmav1,wmav2,wmapro,wmavoice,pcm_alaw,pcm_mulaw',
  ...PCM_ENCODINGS.split(' ').map((encoding) => `pcm_${encoding}`),
].join(',');
/**
 * ffmpeg takes a gap of 10 s for a new clock in containers that may begin one, and closes it, unless
 * timestamps are copied. Those of MPEG-TS then begin anywhere.
 */
export const CLOCK_OPTIONS = { ogg: ['-copyts', '-start_at_zero'], mpegts: ['-copyts'] } as const;
const MAX_ALLOCATION_BYTES = 256 * 1024 * 1024;

/** ffmpeg runs a hundred times faster than real time on one core; this leaves it a tenth of that. */
const defaultTimeoutMs = (maxSec: number): number => 30_000 + maxSec * 100;

/**
 * Writes one audio track as 16 kHz float32 samples of all its channels, each block at its time in the
 * presentation: silence stands for what is missing. What could be decoded of a damaged file is kept.
 * @throws {SttError} AUDIO_UNDECODABLE, AUDIO_UNSUPPORTED, AUDIO_WITHOUT_SOUND, AUDIO_EMPTY,
 * AUDIO_TOO_LONG, INPUT_INVALID, FFMPEG_MISSING, DECODE_TIMEOUT, DISK_FULL
 */
export async function decodeByFfmpeg(
  task: DecodeTask,
  limits: AudioLimits,
  signal: AbortSignal,
): Promise<DecodedAudio> {
  const { mediaType, workingFolder, output } = task;
  const longest = maxSamples(limits.maxSec);
  const call = {
    ffmpegPath: await findFfmpeg(limits.ffmpegPath),
    workingFolder,
    timeoutMs: limits.decodeTimeoutMs ?? defaultTimeoutMs(limits.maxSec),
  };
  const { path, lostFrames, ...structure } = await inspectFile(task);
  const input = inputArguments(path, mediaType);
  const listing = await runFfmpeg({ ...call, argv: input }, () => Promise.resolve(), signal);
  const tracks = findTrack(listing.complaints, task.audioTrack);
  const startMs = mediaType === 'mpegts' ? presentationStartMs(listing.complaints) : 0;
  const reader = new TimedPcmReader();
  let hasBegun = false;
  const clock = new RecordingClock({ startMs, maxGapSamples: longest, lostFrames });
  const { exitCode, complaints } = await runFfmpeg(
    { ...call, argv: [...input, ...outputArguments(tracks)] },
    async (piece) => {
      for (const { start, bytes } of clock.place(reader.push(piece))) {
        if (!hasBegun) await output.begin({ ...tracks, channelCount: reader.channelCount });
        hasBegun = true;
        await output.skip(start - output.frameCount);
        await output.write(new Float32Array(new Uint8Array(bytes).buffer));
      }
      if (clock.end > longest) throw tooLong(limits.maxSec);
    },
    signal,
  );
  const sampleCount = clock.end;
  if (sampleCount === 0) throw explainSilence(exitCode, complaints);
  const findings = { ...structure, sampleCount, gaps: clock.gaps, complaints };
  return { tracks, warnings: await findWarnings(task, findings) };
}

/** What is known of a file before it is decoded. */
interface FileReport {
  /** Of the file to decode: the recording, or a mended copy. */
  readonly path: string;
  readonly lostFrames: readonly LostFrames[];
  readonly isCut: boolean;
  readonly isDamaged: boolean;
}

async function inspectFile({ path, mediaType, workingFolder }: DecodeTask): Promise<FileReport> {
  const lostFrames = await findLostFrames(path, mediaType);
  const isDamaged = lostFrames.length > 0;
  const report = { path, lostFrames, isCut: false, isDamaged };
  if (mediaType !== 'mp4') return report;
  const { breaks, ...mended } = await mendBoxes(path, workingFolder);
  return { ...report, ...mended, isDamaged: breaks.length > 0 };
}

/** Options before `-i` bind the input, those behind it the output. */
const clockOptions = (mediaType: MediaType): readonly string[] =>
  mediaType === 'ogg' || mediaType === 'mpegts' ? CLOCK_OPTIONS[mediaType] : [];

/** Of a layout that the file does not name nothing is guessed. */
const inputArguments = (path: string, mediaType: MediaType): string[] => [
  ...['-nostdin', '-hide_banner', '-nostats', '-v', 'level+info'],
  ...['-max_alloc', String(MAX_ALLOCATION_BYTES), '-threads', '1'],
  ...['-protocol_whitelist', 'file,pipe', '-format_whitelist', DEMUXERS[mediaType]],
  ...['-codec_whitelist', CODECS, ...clockOptions(mediaType)],
  ...['-guess_layout_max', '0', '-i', `file:${path}`],
];

const outputArguments = ({ chosen }: FoundTrack): string[] => [
  ...['-map', `0:a:${chosen}`, '-vn', '-sn', '-dn', '-map_metadata', '-1', '-threads', '1'],
  ...['-ar', String(SAMPLE_RATE_HZ), '-c:a', 'pcm_f32le', '-f', 'matroska', 'pipe:1'],
];

/** Where the clock of an MPEG-TS stands when its first stream begins, the picture's if there is one. */
function presentationStartMs(listing: readonly string[]): number {
  const found = listing.map((line) => /\[info\]\s+Duration: .*start: (-?[\d.]+)/.exec(line)?.[1]);
  return 1000 * Number(found.find((start) => start !== undefined) ?? 0);
}

function explainSilence(exitCode: number | null, complaints: readonly string[]): SttError {
  const has = (wording: RegExp): boolean => complaints.some((line) => wording.test(line));
  // The wordings of ffmpeg 4.2 to 8.
  if (has(/matches no streams/)) {
    return new SttError('AUDIO_WITHOUT_SOUND', 'The file has no audio track');
  }
  if (has(/Decoder \(codec .*\) not found|no decoder found/) || isRefusedCodec(complaints)) {
    return new SttError('AUDIO_UNSUPPORTED', 'The codec of the sound is not one of those accepted');
  }
  if (exitCode === 0 && !has(/\[(error|fatal)\]/)) {
    return new SttError('AUDIO_EMPTY', 'The audio track has 0 samples');
  }
  return new SttError('AUDIO_UNDECODABLE', 'Nothing in the file could be decoded as audio');
}

/** A picture's codec is refused as well, but only the sound's decoder is then to be opened. */
const isRefusedCodec = (complaints: readonly string[]): boolean =>
  complaints.some(
    (line, index) =>
      /Error while opening decoder/.test(line) &&
      /not on whitelist/.test(complaints[index - 1] ?? ''),
  );
