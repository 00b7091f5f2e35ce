import { realpath } from 'node:fs/promises';
import { dirname } from 'node:path';
import { SttError } from '../../core/errors.ts';
import { type Disk, realDisk } from './disk.ts';
import { downloadSnapshot } from './download-snapshot.ts';
import { type Finding, findCached, findFolder } from './find-cached.ts';
import { HubClient } from './hub-client.ts';
import { exactFiles, type ModelNeeds } from './needs.ts';
import {
  type CachePlace,
  type CacheSource,
  cachePlaces,
  DEFAULT_TUNING,
  type HubOptions,
} from './options.ts';
import { parseReference, type RepoReference } from './reference.ts';
import { tokenOf } from './token.ts';

export interface ResolvedModel {
  /** Real path; the files in it may be links, also to outside: follow each with `realpath`. */
  readonly folder: string;
  /** The commit; null for a folder. */
  readonly revision: string | null;
  readonly source: 'folder' | CacheSource | 'download';
}

/**
 * Finds a model or downloads it: a folder as it is; else RunPod's cached models, the Hugging Face
 * cache, the network volume, and last the Hub. A cached branch is taken as it is, without asking
 * whether the Hub has a newer one. The download goes to the network volume if there is one, else
 * to the Hugging Face cache.
 * @param needs a rule, or the names of the files, all required
 * @throws {SttError} MODEL_NOT_FOUND, MODEL_ACCESS_DENIED, MODEL_DOWNLOAD_FAILED,
 * MODEL_CACHE_READ_ONLY, MODEL_INVALID, DISK_FULL; and the signal's reason.
 */
export async function resolveModel(
  reference: string,
  needs: ModelNeeds | readonly string[],
  options: HubOptions,
  signal: AbortSignal,
): Promise<ResolvedModel> {
  const wanted = typeof needs === 'function' ? needs : exactFiles(needs);
  const target = parseReference(reference);
  if (target.kind === 'folder') {
    const folder = await findFolder(target.path, wanted);
    return { folder, revision: null, source: 'folder' };
  }
  const places = cachePlaces(options);
  const findings: [CachePlace, Finding][] = [];
  for (const place of places) {
    const found = await findCached(place, target, wanted);
    if (found.kind === 'complete') {
      return { folder: found.folder, revision: found.commit, source: place.source };
    }
    findings.push([place, found]);
  }
  if (options.offline) throw notCached(target, findings);
  return download(target, wanted, options, signal);
}

async function download(
  reference: RepoReference,
  needs: ModelNeeds,
  options: HubOptions,
  signal: AbortSignal,
): Promise<ResolvedModel> {
  const { endpoint, proxies, hooks = {}, disk = realDisk } = options;
  const tuning = { ...DEFAULT_TUNING, ...options.tuning };
  const root = await downloadRoot(cachePlaces(options), disk);
  const token = await tokenOf(options);
  const client = new HubClient({ endpoint, token, reference, tuning, hooks, proxies });
  try {
    const { folder, commit } = await downloadSnapshot(root, needs, { client, disk }, signal);
    return { folder: await realpath(folder), revision: commit, source: 'download' };
  } finally {
    client.close();
  }
}

/** A volume is one only if its mount point exists: the folder below it is ours to create. */
export async function downloadRoot(places: readonly CachePlace[], disk: Disk): Promise<string> {
  const volume = places.find(({ source }) => source === 'volume')?.root;
  if (volume !== undefined && (await isMounted(volume))) {
    const isWritable = await disk.prepareFolder(volume).then(
      () => true,
      () => false,
    );
    if (isWritable) return volume;
  }
  return places.find(({ source }) => source === 'hf-cache')!.root;
}

const isMounted = (volume: string): Promise<boolean> =>
  realpath(dirname(volume)).then(
    () => true,
    () => false,
  );

const PLACE_NAMES: Readonly<Record<CacheSource, string>> = {
  'runpod-cache': "RunPod's cached models",
  'hf-cache': 'the Hugging Face cache',
  volume: 'the network volume',
};

function notCached(
  { repo, revision }: RepoReference,
  findings: readonly [CachePlace, Finding][],
): SttError {
  const places = findings.map(([{ source, root }, finding]) => {
    const lack = finding.kind === 'incomplete' ? `, lacks ${finding.missing.join(', ')}` : '';
    return `${PLACE_NAMES[source]} (${root}${lack})`;
  });
  return new SttError(
    'MODEL_NOT_FOUND',
    `HF_HUB_OFFLINE is set and ${repo}@${revision} is not complete in ${places.join(', ')}`,
  );
}
