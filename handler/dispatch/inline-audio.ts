import { readFile, stat } from 'node:fs/promises';
import { parse, relative, resolve } from 'node:path';
import { respell } from '../../audio/path-source.ts';
import { SttError } from '../../core/errors.ts';
import { isUrl } from '../audio-source.ts';

/** What RunPod takes as the body of `/run`. */
export const MAX_REQUEST_BYTES = 10_000_000;
/** The rest of the body: other fields, a long prompt. */
const ENVELOPE_BYTES = 100_000;
/** Base64 of so many characters, and a file of so many bytes, fit into a job. */
export const MAX_INLINE_CHARS = MAX_REQUEST_BYTES - ENVELOPE_BYTES;
export const MAX_INLINE_BYTES = Math.floor(MAX_INLINE_CHARS / 4) * 3;

/**
 * A job's input with the file that `audio_url` names put inside, because no other machine can read
 * it. For the command line, whose user may read any file; anything but a path stays as it is.
 * @throws {SttError} AUDIO_NOT_FOUND, AUDIO_TOO_LARGE
 */
export async function inlineLocalAudio(input: unknown, folder: string): Promise<unknown> {
  if (typeof input !== 'object' || input === null || !('audio_url' in input)) return input;
  const { audio_url, ...rest } = input;
  if (typeof audio_url !== 'string' || audio_url === '') return input;
  if (isUrl(audio_url) || /^\s*data:/i.test(audio_url)) return input;
  return { ...rest, audio_base64: await readBase64(resolve(folder, audio_url)) };
}

async function readBase64(asked: string): Promise<string> {
  const { root } = parse(asked);
  const path = await respell(relative(root, asked), root);
  const stats = await stat(path).catch(() => undefined);
  if (!stats?.isFile()) throw new SttError('AUDIO_NOT_FOUND', 'The audio file was not found');
  if (stats.size > MAX_INLINE_BYTES) throw tooLarge(stats.size, MAX_INLINE_BYTES);
  return readFile(path, 'base64');
}

export const tooLarge = (foundBytes: number, allowedBytes: number): SttError =>
  new SttError(
    'AUDIO_TOO_LARGE',
    `${foundBytes} bytes are too large to send inside a job (${allowedBytes} are allowed): upload the file and give its URL as audio_url`,
  );
