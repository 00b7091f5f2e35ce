import type { CheckedUrl } from './url-guard.ts';

/** What an untrusted recording may cost; `Config['audio']` is one. */
export interface AudioLimits {
  /** The folder below which `path` sources may lie; undefined forbids them. */
  readonly root: string | undefined;
  readonly allowHttp: boolean;
  /** Relaxes addresses and ports only, for private networks. */
  readonly allowPrivateUrls: boolean;
  readonly maxBytes: number;
  readonly maxSec: number;
  /** For the whole download: redirects, retries and waits between them included. */
  readonly fetchTimeoutMs: number;
  readonly spoolDir: string | undefined;
  readonly ffmpegPath: string | undefined;
  /** Wall clock of one ffmpeg run; by default it grows with `maxSec`. */
  readonly decodeTimeoutMs?: number;
  readonly fetchTuning?: Partial<FetchTuning>;
}

export interface FetchTuning {
  /** Longest wait for the answer or for the next byte. */
  readonly stallTimeoutMs: number;
  /** Tries in all, the first one included. */
  readonly attempts: number;
  /** Wait before the second try; doubled for each further one. */
  readonly backoffMs: number;
  /** Decides on every URL before it is asked, redirects included. */
  readonly checkUrl: (url: string | URL) => Promise<CheckedUrl>;
}
