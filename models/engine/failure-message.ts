import { type ErrorCode, SttError } from '../../core/errors.ts';

/** An error on its way between threads: a clone would lose its class and its code. */
export interface FailureMessage {
  readonly type: string;
  /** Our own errors only, as is the message. */
  readonly own?: { readonly code: ErrorCode; readonly message: string };
  readonly stack: string | undefined;
  readonly cause?: FailureMessage;
}

/** Type, code and stack frames of the whole chain of causes; of foreign errors not the message. */
export function packFailure(error: unknown): FailureMessage {
  if (!(error instanceof Error)) return { type: typeof error, stack: undefined };
  return {
    type: error.name,
    ...(error instanceof SttError && { own: { code: error.code, message: error.message } }),
    stack: framesOf(error.stack),
    ...(error.cause !== undefined && { cause: packFailure(error.cause) }),
  };
}

/** The error as it was thrown, for whoever asks for its code or logs it. */
export function unpackFailure({ type, own, stack, cause }: FailureMessage): Error {
  const options = cause === undefined ? {} : { cause: unpackFailure(cause) };
  const error = own ? new SttError(own.code, own.message, options) : new Error('', options);
  return Object.assign(error, { name: type, stack: `${type}\n${stack ?? ''}` });
}

const framesOf = (stack: string | undefined): string | undefined =>
  stack
    ?.split('\n')
    .filter((line) => line.startsWith('    at '))
    .join('\n');
