import { z } from 'zod';
import type { SttError } from '../../../core/errors.ts';

/** The body of every failure under `/v1`. */
export const OpenAiErrorSchema = z.object({
  error: z.object({
    message: z.string(),
    type: z.string(),
    param: z.string().nullable(),
    code: z.string(),
  }),
});

/** OpenAI's clients stop asking on it, where they try again on a mere limit of the rate. */
const USED_UP: ReadonlySet<string> = new Set(['QUOTA_EXCEEDED', 'BUDGET_EXCEEDED']);

const TYPES: Readonly<Record<number, string>> = {
  401: 'authentication_error',
  403: 'permission_error',
  404: 'not_found_error',
  429: 'rate_limit_error',
};

/** A failure as OpenAI's clients expect it; `param` is the first field that the message names. */
export function openAiErrorOf({
  code,
  message,
  httpStatus,
}: SttError): z.output<typeof OpenAiErrorSchema> {
  const param = code === 'INPUT_INVALID' ? (/^([\w.[\]]+): /.exec(message)?.[1] ?? null) : null;
  const type = USED_UP.has(code) ? 'insufficient_quota' : typeOf(httpStatus);
  return { error: { message, type, param, code: code.toLowerCase() } };
}

const typeOf = (httpStatus: number): string =>
  TYPES[httpStatus] ?? (httpStatus < 500 ? 'invalid_request_error' : 'server_error');
