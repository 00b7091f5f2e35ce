import { homedir } from 'node:os';
import { join } from 'node:path';
import type { Config } from '../../core/config.ts';
import type { Disk } from './disk.ts';

export interface DownloadProgress {
  /** Path inside the repository. */
  readonly file: string;
  readonly doneBytes: number;
  readonly totalBytes: number;
  /** What came over the network in the last seconds. */
  readonly bytesPerSec: number;
}

export interface DownloadRetry {
  readonly file: string;
  /** Failures in a row without a byte of progress. */
  readonly failures: number;
  readonly waitMs: number;
  readonly reason: string;
}

/** The registry's commit of a model is not what is used. */
export interface MissedPin {
  readonly model: string;
  readonly pinned: string;
  /** The commit in a cache, or the branch that is downloaded. */
  readonly used: string;
}

/** What a model goes through before it can be loaded. */
export type AcquisitionStage = 'resolve' | 'download' | 'quantize';

/** How a download tells about itself; it never logs. */
export interface DownloadHooks {
  readonly onProgress?: (progress: DownloadProgress) => void;
  readonly onRetry?: (retry: DownloadRetry) => void;
  /** Another process is downloading this file. */
  readonly onWait?: (file: string) => void;
  /** The weights are being written again in 8 bits. */
  readonly onQuantize?: (progress: DownloadProgress) => void;
  /** No cache can be written: the 8-bit form is kept in the system's temporary folder. */
  readonly onTemporary?: () => void;
  readonly onPinMissed?: (miss: MissedPin) => void;
  /** The Hub could not be reached for a model that one can do without; it is not asked again for so long. */
  readonly onUnreachable?: (reason: string, forMs: number) => void;
  /** A stage has ended well; each that took place, once for a model. */
  readonly onStage?: (stage: AcquisitionStage, elapsedMs: number) => void;
}

export interface HubTuning {
  /** Requests under way at once, over all files. */
  readonly connections: number;
  /** Larger files are fetched as several ranges of this length. */
  readonly pieceBytes: number;
  /** Failures in a row, without a byte of progress, until a download is given up. */
  readonly attempts: number;
  readonly backoffMs: number;
  /** A host that asks for a longer wait is not waited for. */
  readonly maxWaitMs: number;
  /** Longest silence of a host. */
  readonly stallMs: number;
  /** Longest wait for the Hub's answer about a model that one can do without. */
  readonly reachMs: number;
  /** How often the progress is written down: what a killed process may lose. */
  readonly saveEveryMs: number;
  readonly progressEveryMs: number;
  /** A lock from another machine without a sign of life for so long is taken over. */
  readonly lockStaleMs: number;
  readonly lockPollMs: number;
}

export const DEFAULT_TUNING: HubTuning = {
  connections: 8,
  pieceBytes: 32 * 1024 * 1024,
  attempts: 6,
  backoffMs: 500,
  maxWaitMs: 300_000, // the Hub counts requests in windows of five minutes
  stallMs: 20_000,
  reachMs: 3000,
  saveEveryMs: 500,
  progressEveryMs: 200,
  lockStaleMs: 20_000,
  lockPollMs: 200,
};

/** `config.hub`, and how to behave. */
export type HubOptions = Config['hub'] & {
  readonly hooks?: DownloadHooks;
  readonly tuning?: Partial<HubTuning>;
  readonly disk?: Disk;
};

export type CacheSource = 'runpod-cache' | 'hf-cache' | 'volume';

export interface CachePlace {
  readonly source: CacheSource;
  readonly root: string;
}

/** Where Python's huggingface_hub keeps what it has: `HF_HOME`. */
export const homeOf = ({ home, userCache }: Config['hub']): string =>
  home ?? join(userCache ?? join(homedir(), '.cache'), 'huggingface');

/** Where models may already lie, in the order in which they are looked for. */
export function cachePlaces(hub: Config['hub']): CachePlace[] {
  const { runpodCache, cache, volume } = hub;
  return [
    ...(runpodCache === undefined ? [] : [{ source: 'runpod-cache', root: runpodCache } as const]),
    { source: 'hf-cache', root: cache ?? join(homeOf(hub), 'hub') },
    ...(volume === undefined ? [] : [{ source: 'volume', root: volume } as const]),
  ];
}
