import { type FileHandle, open } from 'node:fs/promises';
import { SttError } from '../core/errors.ts';
import {
  findFrames,
  isMp3Frame,
  LONGEST_MP3_FRAME_BYTES,
  readAdtsFrame,
  readMp3Frame,
} from './frame-headers.ts';

/** Containers and bare streams that are told by their first bytes. */
export type MediaType =
  | 'wav'
  | 'w64'
  | 'mp3'
  | 'aac'
  | 'mp4'
  | 'flac'
  | 'ogg'
  | 'matroska'
  | 'mpegts'
  | 'avi'
  | 'asf'
  | 'aiff'
  | 'caf'
  | 'amr';

/** Enough for every signature below, and for a few frames of MP3. */
const HEAD_BYTES = 16 * 1024;
/** Recorders that failed once, and some players' buffers, put zeros before MP3. */
const MAX_LEADING_ZEROS = 1024 * 1024;
/** Old QuickTime files begin with any of these boxes, newer ones and all of MP4 with `ftyp`. */
const MP4_BOXES: ReadonlySet<string> = new Set(['ftyp', 'moov', 'mdat', 'wide', 'free', 'skip']);
const ASF_HEADER = '3026b2758e66cf11a6d900aa0062ce6c';
const W64_RIFF = '726966662e91cf11a5d628db04c10000';
const TS_SYNC = 0x47;
/** Bare packets, and those of cameras and Blu-ray with a time before each. */
const TS_PACKETS = [
  { firstSync: 0, packetBytes: 188 },
  { firstSync: 4, packetBytes: 192 },
];

/** Of a text, to tell what it is. */
const TEXT_BYTES = 1024;
/** The tags by which the MIME Sniffing Standard knows a page. */
const HTML =
  /^<(?:!doctype html|html|head|script|iframe|h1|div|font|table|a|style|title|b|body|br|p|meta|!--)[\s>]/i;

/**
 * What the first bytes of a file say; its name and its declared type are never asked.
 * @throws {SttError} AUDIO_EMPTY, AUDIO_UNSUPPORTED
 */
export async function inspectMedia(path: string): Promise<MediaType> {
  const file = await open(path, 'r');
  try {
    const head = await readHead(file, 0);
    if (head.length === 0) throw new SttError('AUDIO_EMPTY', 'The audio has 0 bytes');
    const mediaType = recogniseMedia(head);
    if (mediaType !== undefined) return mediaType;
    if (startsInsideMp3(head) || startsInsideMp3(await readBehindZeros(file))) return 'mp3';
    const found = describeText(await readHead(file, 0, TEXT_BYTES));
    throw new SttError(
      'AUDIO_UNSUPPORTED',
      'The content must be WAV, MP3, M4A, FLAC, OGG, WebM or MP4 (AAC, AIFF, AMR, AVI, CAF, ' +
        `MPEG-TS, W64 and WMA are accepted too), and is ${found ?? 'none of them'}`,
    );
  } finally {
    await file.close();
  }
}

/** The container that the magic bytes announce; playlists and other text have none. */
export function recogniseMedia(head: Uint8Array): MediaType | undefined {
  const bytes = Buffer.from(head.buffer, head.byteOffset, head.byteLength);
  const letters = (start: number, end: number): string => bytes.toString('latin1', start, end);
  const first4 = letters(0, 4);
  const form = letters(8, 12);
  if (['RIFF', 'RIFX', 'RF64'].includes(first4) && form === 'WAVE') return 'wav';
  if (first4 === 'RIFF' && form === 'AVI ') return 'avi';
  if (first4 === 'FORM' && (form === 'AIFF' || form === 'AIFC')) return 'aiff';
  if (first4 === 'fLaC') return 'flac';
  if (first4 === 'OggS') return 'ogg';
  if (first4 === 'caff') return 'caf';
  if (first4 === '\x1a\x45\xdf\xa3') return 'matroska';
  if (letters(0, 5) === '#!AMR') return 'amr';
  if (MP4_BOXES.has(letters(4, 8))) return 'mp4';
  const guid = bytes.toString('hex', 0, 16);
  if (guid === ASF_HEADER) return 'asf';
  if (guid === W64_RIFF) return 'w64';
  if (first4.startsWith('ID3') || isMp3Frame(bytes, 0)) return 'mp3';
  if (isAdts(bytes)) return 'aac';
  return isTransportStream(bytes) ? 'mpegts' : undefined;
}

/** What a server sends instead of a recording: a page to log in or to share it, a refusal. */
function describeText(head: Uint8Array): string | undefined {
  const isWide = (head[0] === 0xff && head[1] === 0xfe) || (head[0] === 0xfe && head[1] === 0xff);
  // Markup is ASCII: the zeros of UTF-16 are left out.
  const bytes = isWide ? head.slice(2).filter((byte) => byte !== 0) : head;
  const text = Buffer.from(bytes)
    .toString('latin1')
    .replace(/^\xef\xbb\xbf/, '');
  const markup = text.replace(/^(?:\s|<\?xml[^>]*>|<!--[\s\S]*?-->)+/i, '');
  if (HTML.test(markup)) return 'an HTML page: give the URL of the file itself';
  if (/^\s*</.test(text)) return 'an XML document';
  return /^\s*[{[]\s*["{[]/.test(text) ? 'a JSON document' : undefined;
}

/** As in a stream that was joined late. */
const startsInsideMp3 = (bytes: Buffer): boolean =>
  findFrames(bytes, 0, Math.min(bytes.length, LONGEST_MP3_FRAME_BYTES), readMp3Frame) >= 0;

/** And a second frame where the first one ends. */
function isAdts(bytes: Buffer): boolean {
  const first = readAdtsFrame(bytes, 0);
  if (first === undefined) return false;
  return first.byteCount >= bytes.length || readAdtsFrame(bytes, first.byteCount) !== undefined;
}

const isTransportStream = (bytes: Buffer): boolean =>
  TS_PACKETS.some(({ firstSync, packetBytes }) =>
    [0, 1, 2].every((packet) => bytes[firstSync + packet * packetBytes] === TS_SYNC),
  );

async function readHead(
  file: FileHandle,
  position: number,
  byteCount = HEAD_BYTES,
): Promise<Buffer> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(byteCount), 0, byteCount, position);
  return buffer.subarray(0, bytesRead);
}

/** The first block that is not all zero; empty if there is none within the limit. */
async function readBehindZeros(file: FileHandle): Promise<Buffer> {
  for (let position = 0; position < MAX_LEADING_ZEROS; position += HEAD_BYTES) {
    const start = (await readHead(file, position)).findIndex((byte) => byte !== 0);
    if (start >= 0)
      return position + start === 0 ? Buffer.alloc(0) : readHead(file, position + start);
  }
  return Buffer.alloc(0);
}
