import { SttError } from '../../core/errors.ts';
import type { JobResult } from '../result.ts';

const FIELD_TYPES = {
  transcript: 'string',
  segments: 'object',
  speakers: 'object',
  confidence: 'number',
  processing_time: 'number',
  language: 'string',
  total_segments: 'number',
  total_speakers: 'number',
  has_diarization: 'boolean',
  audio_duration: 'number',
  warnings: 'object',
} as const;

/**
 * What a worker answered, as the result that it claims to be.
 * @throws {SttError} INTERNAL when fields are missing: another program runs on the endpoint.
 */
export function readWorkerResult(output: object): JobResult {
  if (isJobResult(output)) return output;
  throw new SttError('INTERNAL', 'The endpoint answered with something that is not a result');
}

function isJobResult(output: object): output is JobResult {
  const typeByName: Readonly<Record<string, string>> = Object.fromEntries(
    Object.entries(output).map(([name, value]) => [name, value === null ? 'null' : typeof value]),
  );
  return Object.entries(FIELD_TYPES).every(([name, type]) => typeByName[name] === type);
}
