import { SttError } from '../../core/errors.ts';
import { type Answer, Connections } from './http-answer.ts';
import type { HubReach } from './hub-reach.ts';
import { hubRefusal, isTransientStatus, transientStatus } from './hub-refusal.ts';
import type { DownloadHooks, HubTuning } from './options.ts';
import type { Proxies } from './proxies.ts';
import type { RepoReference } from './reference.ts';
import { type RetryRules, TransientFailure } from './retry.ts';

const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);
const MAX_REDIRECTS = 5;

export interface HubClientOptions {
  readonly endpoint: string;
  readonly token: string | undefined;
  readonly reference: RepoReference;
  readonly tuning: HubTuning;
  readonly hooks: DownloadHooks;
  readonly proxies: Proxies;
  readonly reach: HubReach | undefined;
}

/** Requests about one repository: to the Hub with the token, to wherever it points without. */
export class HubClient {
  readonly endpoint: string;
  readonly reference: RepoReference;
  readonly tuning: HubTuning;
  readonly hooks: DownloadHooks;
  /** Where the model is one that can be done without. */
  readonly reach: HubReach | undefined;
  readonly #token: string | undefined;
  readonly #connections: Connections;

  constructor(options: HubClientOptions) {
    const { endpoint, token, reference, tuning, hooks, proxies, reach } = options;
    this.reach = reach;
    this.endpoint = endpoint.replace(/\/+$/, '');
    this.#connections = new Connections(proxies, tuning.stallMs);
    this.reference = reference;
    this.tuning = tuning;
    this.hooks = hooks;
    this.#token = token;
  }

  /** Where the content of a file is asked for. */
  fileUrl(commit: string, path: string): URL {
    const escaped = path.split('/').map(encodeURIComponent).join('/');
    return new URL(`${this.endpoint}/${this.reference.repo}/resolve/${commit}/${escaped}`);
  }

  /**
   * The answer with the content: 200, or 206 for a range.
   * @throws {TransientFailure} for what may pass; {SttError} MODEL_NOT_FOUND,
   * MODEL_ACCESS_DENIED, MODEL_DOWNLOAD_FAILED for what will not.
   */
  async open(url: URL, headers: Record<string, string>, signal: AbortSignal): Promise<Answer> {
    let target = url;
    for (let hop = 0; hop <= MAX_REDIRECTS; hop += 1) {
      const answer = await this.#get(target, headers, signal);
      if (!REDIRECTS.has(answer.status)) return this.#accept(answer);
      answer.skip();
      target = redirectOf(answer);
    }
    throw new SttError('MODEL_DOWNLOAD_FAILED', `More than ${MAX_REDIRECTS} redirects`);
  }

  retryRules(file: string, hasAdvanced?: () => boolean): RetryRules {
    return {
      ...this.tuning,
      ...(hasAdvanced && { hasAdvanced }),
      onRetry: (failures, waitMs, reason) =>
        this.hooks.onRetry?.({ file, failures, waitMs, reason }),
    };
  }

  close(): void {
    this.#connections.close();
  }

  #get(url: URL, headers: Record<string, string>, signal: AbortSignal): Promise<Answer> {
    const authorization =
      this.#token !== undefined && this.#isHub(url)
        ? { authorization: `Bearer ${this.#token}` }
        : {};
    return this.#connections.get(
      url,
      // A compressed answer could not be asked for in ranges.
      { 'user-agent': 'stt-worker', 'accept-encoding': 'identity', ...headers, ...authorization },
      { stallMs: this.tuning.stallMs, signal },
    );
  }

  #accept(answer: Answer): Answer {
    if (answer.status === 200 || answer.status === 206) return answer;
    answer.skip();
    if (isTransientStatus(answer.status)) throw transientStatus(answer);
    if (answer.status === 416) {
      throw new SttError('MODEL_DOWNLOAD_FAILED', 'A file is shorter than the Hub says');
    }
    if (this.#isHub(answer.url)) {
      throw hubRefusal(answer, this.reference, this.#token !== undefined);
    }
    throw new TransientFailure(`The download link was refused with ${answer.status}`);
  }

  #isHub = (url: URL): boolean => url.origin === new URL(this.endpoint).origin;
}

function redirectOf(answer: Answer): URL {
  const location = answer.header('location') ?? '';
  const target = URL.canParse(location, answer.url.href)
    ? new URL(location, answer.url)
    : undefined;
  const isAllowed =
    target?.protocol === 'https:' ||
    (target?.protocol === 'http:' && answer.url.protocol === 'http:');
  if (target !== undefined && isAllowed) return target;
  throw new SttError('MODEL_DOWNLOAD_FAILED', 'The Hub redirects to something that is not https');
}
