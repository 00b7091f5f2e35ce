import type { AudioSource } from '../audio/open-audio.ts';
import { SttError } from '../core/errors.ts';
import type { JobInput } from './schema.ts';

/**
 * Where a job's audio comes from. `audio_url` with a scheme is a URL (or audio itself, as a data
 * URI); anything else is a path below AUDIO_ROOT. `audio/` decides what may be read.
 */
export function audioSourceOf({ audio_url, audio_base64 }: SourceFields): AudioSource {
  if (audio_base64 !== null) return { kind: 'base64', data: audio_base64 };
  if (audio_url === null) throw new SttError('INPUT_INVALID', 'no audio was given');
  if (/^\s*data:/i.test(audio_url)) return { kind: 'base64', data: audio_url };
  if (isUrl(audio_url)) return { kind: 'url', url: audio_url };
  return { kind: 'path', path: audio_url };
}

type SourceFields = Pick<JobInput, 'audio_url' | 'audio_base64'>;

/** Whether a text names a scheme: then it is never taken for a path. */
export const isUrl = (text: string): boolean => /^[a-z][a-z0-9+.-]*:\/\//i.test(text.trim());
