import { type DestinationStream, type Logger, pino } from 'pino';
import { SttError } from './errors.ts';

export type { Logger };

export type LogLevel = 'silent' | 'error' | 'warn' | 'info' | 'debug';

/** Never logged, at any depth that our fields reach; speech and credentials above all. */
const REDACTED_FIELDS = [
  'authorization',
  'apiKey',
  'token',
  'audio_base64',
  'audio_url',
  'audioUrl',
  'url',
  'text',
  'transcript',
  'words',
  'prompt',
  'initial_prompt',
  'keywords',
];

/**
 * JSON lines with the keys that RunPod's own worker writes (`requestId`, `message`, `level`).
 * Written synchronously: the platform may stop the container once a job returns.
 * The composition root chooses the stream: stdout for services, stderr where stdout is the result.
 */
export function createLogger(level: LogLevel, destination: DestinationStream): Logger {
  return pino(
    {
      level,
      base: null,
      messageKey: 'message',
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label.toUpperCase() }) },
      serializers: { err: describeError },
      redact: {
        paths: REDACTED_FIELDS.flatMap((field) => [field, `*.${field}`, `*.*.${field}`]),
        censor: '[redacted]',
      },
    },
    destination,
  );
}

/** A synchronous destination for `createLogger`. */
export const syncDestination = (fileDescriptor: 1 | 2): DestinationStream =>
  pino.destination({ dest: fileDescriptor, sync: true });

/**
 * Type, code and stack frames, for the whole cause chain. Only our own messages are kept:
 * a foreign one can quote a signed URL, a header or someone's speech.
 */
function describeError(error: unknown): object {
  if (!(error instanceof Error)) return { type: typeof error };
  return {
    type: error.name,
    ...(error instanceof SttError && { code: error.code, message: error.message }),
    frames: error.stack?.split('\n').filter((line) => line.startsWith('    at ')),
    ...(error.cause !== undefined && { cause: describeError(error.cause) }),
  };
}
