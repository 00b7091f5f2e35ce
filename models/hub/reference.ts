import { isAbsolute } from 'node:path';
import { SttError } from '../../core/errors.ts';
import { MODEL_ALIASES, pinnedModel } from '../registry.ts';

export interface RepoReference {
  readonly kind: 'repo';
  /** `org/name` */
  readonly repo: string;
  /** Commit, tag, branch or `refs/pr/N`. */
  readonly revision: string;
  /** The branch that the registry's commit was taken from; absent where the user names a revision. */
  readonly branch?: string;
}

export type ModelReference = RepoReference | { readonly kind: 'folder'; readonly path: string };

const NAME = String.raw`[A-Za-z0-9][\w.-]*`;
const REPO = new RegExp(`^${NAME}/${NAME}$`);
const REVISION = new RegExp(`^${NAME}(?:/${NAME})*$`);
const COMMIT = /^[0-9a-f]{40}$/;

/** A full commit hash, which no later push can move. */
export const isCommit = (revision: string): boolean => COMMIT.test(revision);

/**
 * Reads what a user writes for a model: a folder (`/…`, `./…`, `../…`), `org/name`,
 * `org/name@revision`, or a name of the registry. What is not said is taken from the registry,
 * else it is `main`; the disk is not asked, so the answer is the same on every machine.
 * @throws {SttError} MODEL_NOT_FOUND for anything else.
 */
export function parseReference(reference: string): ModelReference {
  if (isAbsolute(reference) || /^\.\.?(?:\/|$)/.test(reference)) {
    return { kind: 'folder', path: reference };
  }
  const at = reference.indexOf('@');
  const name = at === -1 ? reference : reference.slice(0, at);
  const pinned = pinnedModel(name);
  const repo = pinned?.repo ?? name;
  const revision = at === -1 ? (pinned?.revision ?? 'main') : reference.slice(at + 1);
  const isPinned = at === -1 && pinned !== undefined && pinned.revision !== pinned.branch;
  const isValid = REPO.test(repo) && REVISION.test(revision) && !reference.includes('..');
  const branch = isPinned ? { branch: pinned.branch } : {};
  if (isValid) return { kind: 'repo', repo, revision, ...branch };
  throw new SttError(
    'MODEL_NOT_FOUND',
    `A model is a folder (/… or ./…), org/name, org/name@revision, or one of ${MODEL_ALIASES.join(', ')}`,
  );
}
