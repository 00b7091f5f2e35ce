import type { FileHandle } from 'node:fs/promises';
import { SttError } from '../core/errors.ts';
import { writeAt } from './spool.ts';

/** `FileReader.readAsDataURL` and canvases put it in front, whatever the type; of nothing it is bare. */
const DATA_URI = /^\s*data:(?:[\s\S]{0,256}?;\s*base64\s*,|\s*$)/i;
const DATA_URI_CHARS = 320;
/** Both alphabets of RFC 4648. */
const ALPHABET = /^[A-Za-z0-9+/_-]*$/;
/** Between two digits a form has put it in the place of a plus: then sound is missing. */
const LOST_PLUS = /\S +\S/;
const QUANTUM_CHARS = 4;
const PIECE_CHARS = 256 * 1024;

/**
 * Decodes base64 into a file, piece by piece: either alphabet, line breaks, missing padding and a
 * data URI's prefix are understood; what has lost characters is refused.
 * @throws {SttError} INPUT_INVALID, AUDIO_EMPTY, AUDIO_TOO_LARGE
 */
export async function writeBase64(
  text: string,
  file: FileHandle,
  maxBytes: number,
  signal: AbortSignal,
): Promise<void> {
  let position = 0;
  for (const bytes of decodedPieces(text)) {
    signal.throwIfAborted();
    if (position + bytes.length > maxBytes) {
      throw new SttError('AUDIO_TOO_LARGE', `More than the ${maxBytes} bytes that are allowed`);
    }
    position = await writeAt(file, bytes, position);
  }
  if (position === 0) throw new SttError('AUDIO_EMPTY', 'The base64 audio is empty');
}

/** As `writeBase64`, for a text that fits into memory twice. @throws {SttError} INPUT_INVALID */
export const decodeBase64 = (text: string): Buffer => Buffer.concat([...decodedPieces(text)]);

function* decodedPieces(text: string): Generator<Buffer> {
  const { start, end, padding } = digitsOf(text);
  if (LOST_PLUS.test(text.slice(start, end)))
    throw invalid('a space stands between its characters');
  let rest = '';
  for (let from = start; from < end; from += PIECE_CHARS) {
    const digits = rest + text.slice(from, Math.min(end, from + PIECE_CHARS)).replace(/\s+/g, '');
    if (!ALPHABET.test(digits)) throw invalid('a character outside A-Z a-z 0-9 + / - _ was found');
    const whole = digits.length - (digits.length % QUANTUM_CHARS);
    rest = digits.slice(whole);
    yield Buffer.from(digits.slice(0, whole), 'base64');
  }
  if (rest.length === 1) throw invalid('a character is missing at its end');
  if (padding > (rest.length === 0 ? 0 : QUANTUM_CHARS - rest.length)) {
    throw invalid('it is padded with too many =');
  }
  const bytes = Buffer.from(rest, 'base64');
  // Unused bits that are set are the trace of a cut.
  const isWhole = bytes.toString('base64url') === rest.replaceAll('+', '-').replaceAll('/', '_');
  if (!isWhole) throw invalid('its end is damaged');
  yield bytes;
}

/** Where the digits lie, between a prefix and the padding. */
function digitsOf(text: string) {
  const start = DATA_URI.exec(text.slice(0, DATA_URI_CHARS))?.[0].length ?? 0;
  let end = text.length;
  let padding = 0;
  for (; end > start && /[=\s]/.test(text[end - 1]!); end -= 1)
    padding += Number(text[end - 1] === '=');
  return { start, end, padding };
}

const invalid = (found: string): SttError =>
  new SttError('INPUT_INVALID', `The audio is not valid base64: ${found}`);
