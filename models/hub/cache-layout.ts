import { join } from 'node:path';

/**
 * Where Python's huggingface_hub keeps one repository: content once under `blobs/`, named by its
 * hash; `snapshots/<commit>/<path>` links there; `refs/<revision>` holds the commit of a branch.
 */
export class RepoCache {
  readonly folder: string;
  readonly locks: string;

  constructor(root: string, repo: string) {
    const name = `models--${repo.replaceAll('/', '--')}`;
    this.folder = join(root, name);
    this.locks = join(root, '.locks', name);
  }

  get blobs(): string {
    return join(this.folder, 'blobs');
  }

  get snapshots(): string {
    return join(this.folder, 'snapshots');
  }

  get refs(): string {
    return join(this.folder, 'refs');
  }

  blob(hash: string): string {
    return join(this.blobs, hash);
  }

  /** Not Python's `<hash>.incomplete`, which it continues at the file's length: ours has holes. */
  partial(hash: string): string {
    return join(this.blobs, `${hash}${PARTIAL_SUFFIX}`);
  }

  snapshot(commit: string): string {
    return join(this.snapshots, commit);
  }

  ref(revision: string): string {
    return join(this.refs, revision);
  }

  /** Python holds `<hash>.lock` with flock, which Node cannot do. */
  lock(hash: string): string {
    return join(this.locks, `${hash}${LOCK_SUFFIX}`);
  }
}

/** Beside `snapshots/`: the same weights in 8 bits, written here. */
export const QUANTIZED_FOLDER = 'stt-quantized';
/** To be raised when the quantizer writes something else for the same weights. */
export const QUANTIZER_VERSION = 3;
/** Of a folder in the making; a random part follows. */
export const PARTIAL_FOLDER = '.partial-';
/** Of a link or branch in the making. */
export const NEW_SUFFIX = '.stt-new';
export const PARTIAL_SUFFIX = '.stt-partial';
export const LOCK_SUFFIX = '.stt-lock';

/** `models--org--name` → `org/name`; undefined for other folders. */
export function repoOfFolder(name: string): string | undefined {
  const [, organization, repo] = /^models--(.+?)--(.+)$/.exec(name) ?? [];
  return organization === undefined || repo === undefined ? undefined : `${organization}/${repo}`;
}
