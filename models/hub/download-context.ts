import type { RepoCache } from './cache-layout.ts';
import type { Disk } from './disk.ts';
import type { Lease } from './file-lock.ts';
import type { HubClient } from './hub-client.ts';
import type { ProgressMeter } from './progress-meter.ts';
import type { Slots } from './slots.ts';

/** What all files of one download share. */
export interface DownloadContext {
  readonly client: HubClient;
  readonly cache: RepoCache;
  readonly commit: string;
  readonly disk: Disk;
  readonly slots: Slots;
}

export type FileContext = DownloadContext & {
  readonly meter: ProgressMeter;
  readonly lease: Lease;
};
