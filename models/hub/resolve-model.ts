import { realpath } from 'node:fs/promises';
import { dirname } from 'node:path';
import { SttError } from '../../core/errors.ts';
import { type Disk, realDisk } from './disk.ts';
import { downloadSnapshot } from './download-snapshot.ts';
import { type Finding, findCached, findFolder } from './find-cached.ts';
import { HubClient } from './hub-client.ts';
import type { HubReach } from './hub-reach.ts';
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

/** `config.hub`, how to behave, and whether the model is one that can be done without. */
export type ResolveOptions = HubOptions & { readonly reach?: HubReach | undefined };

/** Attempts in a row, without a byte, for a model that one can do without. */
const OPTIONAL_ATTEMPTS = 2;

/**
 * Finds a model or downloads it: a folder as it is; else RunPod's cached models, the Hugging Face
 * cache, the network volume, and last the Hub. A cached branch is taken as it is, without asking
 * whether the Hub has a newer one, and rather than downloading the registry's commit of it. The
 * download goes to the network volume if there is one, else to the Hugging Face cache. With `reach`
 * it is given up soon.
 * @param needs a rule, or the names of the files, all required
 * @throws {SttError} MODEL_NOT_FOUND, MODEL_ACCESS_DENIED, MODEL_DOWNLOAD_FAILED,
 * MODEL_CACHE_READ_ONLY, MODEL_INVALID, DISK_FULL; and the signal's reason.
 */
export async function resolveModel(
  reference: string,
  needs: ModelNeeds | readonly string[],
  options: ResolveOptions,
  signal: AbortSignal,
): Promise<ResolvedModel> {
  const wanted = typeof needs === 'function' ? needs : exactFiles(needs);
  const target = parseReference(reference);
  const startedAt = performance.now();
  const resolved = (model: ResolvedModel): ResolvedModel => {
    options.hooks?.onStage?.('resolve', performance.now() - startedAt);
    return model;
  };
  if (target.kind === 'folder') {
    const folder = await findFolder(target.path, wanted);
    return resolved({ folder, revision: null, source: 'folder' });
  }
  const findings: [CachePlace, Finding][] = [];
  for (const revision of revisionsOf(target)) {
    for (const place of cachePlaces(options)) {
      const found = await findCached(place, { ...target, revision }, wanted);
      findings.push([place, found]);
      if (found.kind !== 'complete') continue;
      if (revision !== target.revision) missPin(target, found.commit, options);
      return resolved({ folder: found.folder, revision: found.commit, source: place.source });
    }
  }
  if (options.offline) throw notCached(target, findings);
  options.hooks?.onStage?.('resolve', performance.now() - startedAt);
  return downloadPinned(target, wanted, options, signal);
}

/** The registry's commit first; what a cache has of its branch was put there by someone who wants it. */
const revisionsOf = ({ revision, branch }: RepoReference): string[] =>
  branch === undefined ? [revision] : [revision, branch];

/** A commit that the registry names and the Hub does not know, or not whole, must not stop a worker. */
async function downloadPinned(
  target: RepoReference,
  needs: ModelNeeds,
  options: ResolveOptions,
  signal: AbortSignal,
): Promise<ResolvedModel> {
  const { branch, ...asked } = target;
  try {
    return await download(asked, needs, options, signal);
  } catch (thrown) {
    const isUnfit =
      thrown instanceof SttError && ['MODEL_NOT_FOUND', 'MODEL_INVALID'].includes(thrown.code);
    if (branch === undefined || !isUnfit) throw thrown;
    const model = await download({ ...asked, revision: branch }, needs, options, signal);
    missPin(target, branch, options);
    return model;
  }
}

const missPin = ({ repo, revision }: RepoReference, used: string, { hooks }: HubOptions): void =>
  hooks?.onPinMissed?.({ model: repo, pinned: revision, used });

async function download(
  reference: RepoReference,
  needs: ModelNeeds,
  options: ResolveOptions,
  signal: AbortSignal,
): Promise<ResolvedModel> {
  const startedAt = performance.now();
  const { endpoint, proxies, hooks = {}, disk = realDisk, reach } = options;
  const patience = reach === undefined ? {} : { attempts: OPTIONAL_ATTEMPTS };
  const tuning = { ...DEFAULT_TUNING, ...options.tuning, ...patience };
  const root = await downloadRoot(cachePlaces(options), disk);
  const token = await tokenOf(options);
  const client = new HubClient({ endpoint, token, reference, tuning, hooks, proxies, reach });
  try {
    const { folder, commit } = await downloadSnapshot(root, needs, { client, disk }, signal);
    hooks.onStage?.('download', performance.now() - startedAt);
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
  const last = new Map(findings.map(([place, finding]) => [place.source, { place, finding }]));
  const places = [...last.values()].map(({ place: { source, root }, finding }) => {
    const lack = finding.kind === 'incomplete' ? `, lacks ${finding.missing.join(', ')}` : '';
    return `${PLACE_NAMES[source]} (${root}${lack})`;
  });
  return new SttError(
    'MODEL_NOT_FOUND',
    `HF_HUB_OFFLINE is set and ${repo}@${revision} is not complete in ${places.join(', ')}`,
  );
}
