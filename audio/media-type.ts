import { type FileHandle, open } from 'node:fs/promises';
import { SttError } from '../core/errors.ts';

export type MediaType = 'wav' | 'mp3' | 'mp4' | 'flac' | 'ogg' | 'matroska';

/** Enough for every signature below. */
const HEAD_BYTES = 16;
/** Old QuickTime files begin with any of these boxes, newer ones and all of MP4 with `ftyp`. */
const MP4_BOXES: ReadonlySet<string> = new Set(['ftyp', 'moov', 'mdat', 'wide', 'free', 'skip']);

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
    const head = await readHead(file);
    if (head.length === 0) throw new SttError('AUDIO_EMPTY', 'The audio has 0 bytes');
    const mediaType = recogniseMedia(head);
    if (mediaType !== undefined) return mediaType;
    const found = describeText(await readHead(file, TEXT_BYTES));
    throw new SttError(
      'AUDIO_UNSUPPORTED',
      `The content must be WAV, MP3, M4A, FLAC, OGG, WebM or MP4, and is ${found ?? 'none of them'}`,
    );
  } finally {
    await file.close();
  }
}

/** The container that the magic bytes announce; playlists and other text have none. */
export function recogniseMedia(head: Uint8Array): MediaType | undefined {
  const letters = (start: number, end: number): string =>
    String.fromCharCode(...head.subarray(start, end));
  const first4 = letters(0, 4);
  if (['RIFF', 'RIFX', 'RF64'].includes(first4) && letters(8, 12) === 'WAVE') return 'wav';
  if (first4 === 'fLaC') return 'flac';
  if (first4 === 'OggS') return 'ogg';
  if (first4 === '\x1a\x45\xdf\xa3') return 'matroska';
  if (MP4_BOXES.has(letters(4, 8))) return 'mp4';
  if (letters(0, 3) === 'ID3' || isMp3Frame(head)) return 'mp3';
  return undefined;
}

async function readHead(file: FileHandle, byteCount = HEAD_BYTES): Promise<Uint8Array> {
  const { buffer, bytesRead } = await file.read(new Uint8Array(byteCount), 0, byteCount, 0);
  return buffer.subarray(0, bytesRead);
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

/** Sync word and valid fields, layers II and III: layer I would take UTF-16 text for MP3. */
function isMp3Frame([byte0 = 0, byte1 = 0, byte2 = 0]: Uint8Array): boolean {
  const hasSync = byte0 === 0xff && (byte1 & 0xe0) === 0xe0;
  const version = (byte1 >> 3) & 3;
  const layer = (byte1 >> 1) & 3;
  const bitrate = byte2 >> 4;
  const rate = (byte2 >> 2) & 3;
  return hasSync && version !== 1 && (layer === 1 || layer === 2) && bitrate !== 15 && rate !== 3;
}
