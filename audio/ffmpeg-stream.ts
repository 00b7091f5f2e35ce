import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { SttError } from '../core/errors.ts';
import { CLOCK_OPTIONS } from './ffmpeg-decode.ts';
import { endWithProcess, killGroup } from './ffmpeg-process.ts';
import { type PlacedPcm, RecordingClock } from './recording-clock.ts';
import { BYTES_PER_SAMPLE } from './spooled-waveform.ts';
import { SAMPLE_RATE_HZ, secToSamples } from './time.ts';
import { TimedPcmReader } from './timed-pcm.ts';

/** Containers that a recorder writes as it goes, MP4 in fragments. */
export const STREAM_CONTAINERS = ['webm', 'ogg', 'wav', 'mp4', 'mp3', 'flac', 'aac'] as const;
export type StreamContainer = (typeof STREAM_CONTAINERS)[number];

const DEMUXERS: Record<StreamContainer, string> = {
  ...{ webm: 'matroska', ogg: 'ogg', wav: 'wav', mp4: 'mov', mp3: 'mp3', flac: 'flac', aac: 'aac' },
};
const CODECS = [
  'opus,libopus,vorbis,libvorbis,flac,aac,alac,mp3,mp3float,pcm_alaw,pcm_mulaw',
  'pcm_u8,pcm_s16le,pcm_s24le,pcm_s32le,pcm_f32le,pcm_f64le',
].join(',');
const MAX_ALLOCATION_BYTES = 64 * 1024 * 1024;
/** A longer jump is no pause, and silence has to be listened to as speech is. */
const MAX_GAP_SAMPLES = secToSamples(600);
const SECOND_OF_SILENCE = Buffer.alloc(SAMPLE_RATE_HZ * BYTES_PER_SAMPLE);

export interface DecodingStream {
  /** Bytes of the container, in order. */
  write(bytes: Uint8Array): void;
  /** Bytes that ffmpeg has not taken yet. */
  readonly waitingBytes: number;
  /** Settles when all that was written has come out, at least for as far as it could be decoded. */
  end(): Promise<void>;
  kill(): void;
}

/**
 * Decodes a recording while it is being made, by an ffmpeg that sees nothing but its pipes. Where
 * packets are missing, silence comes in their stead.
 * @param onSamples gets 16 kHz mono samples as little-endian int16.
 * @param onFailure hears once of a stream that is none, or of a missing ffmpeg.
 */
export function openDecodingStream(
  { ffmpegPath, container }: { readonly ffmpegPath: string; readonly container: StreamContainer },
  onSamples: (bytes: Buffer) => void,
  onFailure: (error: SttError) => void,
): DecodingStream {
  const child = spawn(ffmpegPath, streamArguments(container), {
    env: {},
    detached: true, // the leader of a group of its own
    stdio: ['pipe', 'pipe', 'ignore'],
    windowsHide: true,
  });
  endWithProcess(child);
  let hasClosed = false;
  child.once('close', () => {
    hasClosed = true;
  });
  const closed = once(child, 'close').catch(() => undefined);
  const reader = new TimedPcmReader();
  const clock = new RecordingClock({ maxGapSamples: MAX_GAP_SAMPLES });
  const take = (piece: Buffer): void => {
    let end = clock.end;
    for (const placed of clock.place(reader.push(piece))) {
      for (const silence of silenceBefore(placed, end)) onSamples(silence);
      onSamples(placed.bytes);
      end = placed.start + placed.bytes.length / BYTES_PER_SAMPLE;
    }
  };
  child.stdout.on('data', (piece: Buffer) => {
    try {
      take(piece);
    } catch (thrown) {
      killGroup(child);
      onFailure(SttError.from(thrown));
    }
  });
  child.stdin.on('error', () => undefined); // Told by the exit code.
  child.once('error', (cause) => {
    onFailure(new SttError('FFMPEG_MISSING', 'ffmpeg could not be started', { cause }));
  });
  child.once('exit', (code) => {
    if (code !== 0 && code !== null) {
      onFailure(new SttError('AUDIO_UNDECODABLE', 'The audio stream could not be decoded'));
    }
  });
  return {
    write: (bytes) => void child.stdin.write(bytes),
    get waitingBytes() {
      return child.stdin.writableLength;
    },
    end: async () => {
      child.stdin.end();
      await closed;
    },
    kill: () => {
      if (!hasClosed) killGroup(child); // Its number may be another's by then.
    },
  };
}

function* silenceBefore({ start }: PlacedPcm, end: number): Generator<Buffer> {
  for (let missing = start - end; missing > 0; missing -= SAMPLE_RATE_HZ) {
    yield SECOND_OF_SILENCE.subarray(0, missing * BYTES_PER_SAMPLE);
  }
}

/** Little is probed and nothing held back: words are waited for. */
const streamArguments = (container: StreamContainer): string[] => [
  ...['-hide_banner', '-nostats', '-v', 'quiet', '-max_alloc', String(MAX_ALLOCATION_BYTES)],
  ...['-threads', '1', '-protocol_whitelist', 'pipe', '-format_whitelist', DEMUXERS[container]],
  ...(container === 'ogg' ? CLOCK_OPTIONS.ogg : []),
  ...['-codec_whitelist', CODECS, '-probesize', '4096', '-analyzeduration', '0'],
  // Not `-fflags nobuffer`: it throws away what was read to find out what the stream is.
  ...['-f', DEMUXERS[container], '-i', 'pipe:0'],
  ...['-map', '0:a:0', '-vn', '-sn', '-dn', '-map_metadata', '-1', '-threads', '1'],
  ...['-ac', '1', '-ar', String(SAMPLE_RATE_HZ), '-c:a', 'pcm_s16le'],
  // A block waits for the next two: they are small, and each has a cluster of its own.
  ...['-af', 'asetnsamples=n=480:p=0', '-f', 'matroska', '-cluster_time_limit', '0'],
  ...['-flush_packets', '1', 'pipe:1'],
];
