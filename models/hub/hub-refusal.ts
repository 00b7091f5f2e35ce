import { retryAfterMs } from '../../audio/retry-after.ts';
import { SttError } from '../../core/errors.ts';
import type { Answer } from './http-answer.ts';
import type { RepoReference } from './reference.ts';
import { TransientFailure } from './retry.ts';

export const isTransientStatus = (status: number): boolean =>
  status === 408 || status === 429 || status >= 500;

export const transientStatus = (answer: Answer): TransientFailure =>
  new TransientFailure(`The host answered ${answer.status}`, {
    retryAfterMs: retryAfterMs(answer.header('retry-after')),
  });

/**
 * What a refusal of the Hub means and what to do about it. Its `X-Error-Code` is the better
 * witness: unknown, private and gated repositories all answer 401 to a stranger.
 */
export function hubRefusal(
  answer: Answer,
  { repo, revision }: RepoReference,
  hasToken: boolean,
): SttError {
  const code = answer.header('x-error-code');
  const notFound = (what: string): SttError => new SttError('MODEL_NOT_FOUND', what);
  if (code === 'RevisionNotFound') return notFound(`${repo} has no revision ${revision}`);
  if (code === 'EntryNotFound') return notFound(`${repo} lacks a file that it lists`);
  if (code === 'GatedRepo' || answer.status === 403) {
    const account = hasToken ? 'of an account that has accepted it' : 'of the same account';
    return new SttError(
      'MODEL_ACCESS_DENIED',
      `${repo} is gated: accept the licence on the model page and set HF_TOKEN to a token ${account}`,
    );
  }
  if (code === 'RepoNotFound' || answer.status === 404) {
    const token = hasToken ? 'HF_TOKEN may not read it' : 'HF_TOKEN is not set';
    return notFound(`The Hub has no model ${repo}, or it is private and ${token}`);
  }
  if (answer.status === 401) {
    const advice = hasToken
      ? 'HF_TOKEN is not valid, or may not read it'
      : 'if it is gated, accept the licence on the model page and set HF_TOKEN';
    return new SttError('MODEL_ACCESS_DENIED', `The Hub refuses ${repo}: ${advice}`);
  }
  return new SttError('MODEL_DOWNLOAD_FAILED', `The Hub answered ${answer.status}`);
}
