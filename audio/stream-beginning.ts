import type { StreamContainer } from './ffmpeg-stream.ts';

/**
 * What a live stream begins with: a container, one that cannot be decoded as it comes, or samples
 * without a header; undefined where more bytes are needed to tell.
 */
type StreamBeginning = StreamContainer | 'foreign' | 'samples' | undefined;

const HEAD_BYTES = 12;
/** Boxes before the movie are small. */
const MAX_HEAD_BYTES = 64 * 1024;
/** Frames in a row by which a stream without a header is told from samples. */
const MIN_FRAMES = 3;
const MP4_BOXES: ReadonlySet<string> = new Set(
  'ftyp styp sidx moov moof mdat free skip wide uuid'.split(' '),
);
/** In hex: AMR, AIFF, CAF, ASF, W64, FLV, an MPEG program stream. */
const FOREIGN =
  /^(?:2321414d52|464f524d.{8}4149464[36]|63616666|3026b275|72696666|464c5601|000001ba)/;
const MPEG_TS_SYNC = 0x47;
const MPEG_TS_PACKET_BYTES = 188;
const FRAME_HEADER_BYTES = 6;

/** The length of a frame that begins there; 0: none does. */
type FrameBytes = (head: Buffer, at: number) => number;

const MP3_BITRATES_KBPS = [
  [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320],
  [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160],
] as const;
const MP3_RATES_HZ = [44_100, 48_000, 32_000] as const;

/** By magic bytes; for MP3 and ADTS by frames in a row, which samples do not have by chance. */
export function beginningOf(head: Buffer): StreamBeginning {
  if (head.length < HEAD_BYTES) return undefined;
  const letters = (start: number, end: number): string => head.toString('latin1', start, end);
  const first4 = letters(0, 4);
  if (first4 === '\x1aE\xdf\xa3') return 'webm';
  if (first4 === 'OggS') return 'ogg';
  if (first4 === 'fLaC') return 'flac';
  if (first4 === 'RIFF' || first4 === 'RF64') return letters(8, 12) === 'WAVE' ? 'wav' : 'foreign';
  if (letters(0, 3) === 'ID3' && head[3]! < 0xff && head[4]! < 0xff) return 'mp3';
  if (MP4_BOXES.has(letters(4, 8)) && head[0] === 0) return mp4Beginning(head);
  if (FOREIGN.test(head.toString('hex', 0, HEAD_BYTES))) return 'foreign';
  for (const [kind, bytesAt] of FRAMED) {
    const isRow = startsWithFrames(head, bytesAt);
    if (isRow !== false) return isRow ? kind : undefined;
  }
  return 'samples';
}

/** Its index must come before its sound: that of a file which was written to its end comes after. */
function mp4Beginning(head: Buffer): StreamBeginning {
  for (let at = 0; at + 8 <= head.length; ) {
    const name = head.toString('latin1', at + 4, at + 8);
    if (name === 'moov') return 'mp4';
    const boxBytes = head.readUInt32BE(at);
    if (name === 'mdat' || name === 'moof' || boxBytes < 8) return 'foreign';
    at += boxBytes;
  }
  return head.length < MAX_HEAD_BYTES ? undefined : 'foreign';
}

/** Undefined where the bytes end within the row; `bytesAt` is 0 where there is no frame. */
function startsWithFrames(head: Buffer, bytesAt: FrameBytes): boolean | undefined {
  let at = 0;
  for (let frame = 0; frame < MIN_FRAMES; frame += 1) {
    if (at + FRAME_HEADER_BYTES > head.length) return undefined;
    const frameBytes = bytesAt(head, at);
    if (frameBytes === 0) return false;
    at += frameBytes;
  }
  return true;
}

const FRAMED: readonly (readonly [StreamBeginning, FrameBytes])[] = [
  ['mp3', mp3FrameBytes],
  ['aac', adtsFrameBytes],
  ['foreign', (head, at) => (head[at] === MPEG_TS_SYNC ? MPEG_TS_PACKET_BYTES : 0)],
];

/** ISO 11172-3, layer III with its half rates: sync word, version, bit rate and rate are valid. */
function mp3FrameBytes(head: Buffer, at: number): number {
  const [byte0 = 0, byte1 = 0, byte2 = 0] = head.subarray(at, at + 3);
  const version = (byte1 >> 3) & 3; // 3: MPEG-1, 2: MPEG-2, 0: MPEG-2.5.
  const isLayer3 = byte0 === 0xff && (byte1 & 0xe6) === 0xe2;
  const bitrateKbps = MP3_BITRATES_KBPS[version === 3 ? 0 : 1][byte2 >> 4] ?? 0;
  const fullRateHz = MP3_RATES_HZ[(byte2 >> 2) & 3] ?? 0;
  if (!isLayer3 || version === 1 || bitrateKbps === 0 || fullRateHz === 0) return 0;
  const [samplesPerBit, divisor] = version === 3 ? [144, 1] : [72, version === 2 ? 2 : 4];
  const padding = (byte2 >> 1) & 1;
  return Math.floor((samplesPerBit * bitrateKbps * 1000) / (fullRateHz / divisor)) + padding;
}

/** ISO 14496-3: sync word, layer 0, a known rate. */
function adtsFrameBytes(head: Buffer, at: number): number {
  const [byte0 = 0, byte1 = 0, byte2 = 0, byte3 = 0, byte4 = 0, byte5 = 0] = head.subarray(
    at,
    at + 6,
  );
  if (byte0 !== 0xff || (byte1 & 0xf6) !== 0xf0 || ((byte2 >> 2) & 15) > 12) return 0;
  const frameBytes = ((byte3 & 3) << 11) | (byte4 << 3) | (byte5 >> 5);
  return frameBytes > 7 ? frameBytes : 0;
}
