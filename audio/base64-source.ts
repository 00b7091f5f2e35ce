import type { FileHandle } from 'node:fs/promises';
import { SttError } from '../core/errors.ts';
import { writeAt } from './spool.ts';

/** What `FileReader.readAsDataURL` puts in front; a recorder adds `;codecs=opus`. */
const DATA_URI = /^data:(?:audio\/|video\/|application\/octet-stream)[^,]{0,200};base64,/i;
const ALPHABET = /^[A-Za-z0-9+/]*$/;
const QUANTUM_CHARS = 4;
const QUANTUM_BYTES = 3;
const PIECE_CHARS = QUANTUM_CHARS * 64 * 1024;

/**
 * Decodes standard base64 (RFC 4648 §4, padded, no line breaks) into a file, piece by piece.
 * @throws {SttError} INPUT_INVALID, AUDIO_EMPTY, AUDIO_TOO_LARGE (before anything is decoded).
 */
export async function writeBase64(
  data: string,
  file: FileHandle,
  maxBytes: number,
  signal: AbortSignal,
): Promise<void> {
  const start = DATA_URI.exec(data.slice(0, 300))?.[0].length ?? 0;
  const charCount = data.length - start;
  if (charCount === 0) throw new SttError('AUDIO_EMPTY', 'The base64 audio is empty');
  if (charCount % QUANTUM_CHARS !== 0) {
    throw invalid(`its length must be a multiple of 4, ${charCount} characters were found`);
  }
  const padding = data.endsWith('==') ? 2 : Number(data.endsWith('='));
  const byteCount = (charCount / QUANTUM_CHARS) * QUANTUM_BYTES - padding;
  if (byteCount > maxBytes) {
    throw new SttError('AUDIO_TOO_LARGE', `${byteCount} bytes of audio, ${maxBytes} are allowed`);
  }
  let position = 0;
  for (let from = start; from < data.length; from += PIECE_CHARS) {
    signal.throwIfAborted();
    const isLast = from + PIECE_CHARS >= data.length;
    const bytes = decodePiece(data.slice(from, from + PIECE_CHARS), isLast);
    position = await writeAt(file, bytes, position);
  }
}

function decodePiece(piece: string, isLast: boolean): Buffer {
  const digits = isLast ? piece.replace(/={1,2}$/, '') : piece;
  if (!ALPHABET.test(digits)) {
    throw invalid('a character outside A-Z a-z 0-9 + / was found (line breaks do not belong)');
  }
  const bytes = Buffer.from(piece, 'base64');
  // Catches a padded end whose unused bits are set.
  if (isLast && bytes.toString('base64').slice(-QUANTUM_CHARS) !== piece.slice(-QUANTUM_CHARS)) {
    throw invalid('its end is damaged');
  }
  return bytes;
}

const invalid = (found: string): SttError =>
  new SttError('INPUT_INVALID', `The audio is not valid base64: ${found}`);
