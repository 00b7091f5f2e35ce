import { parseArgs } from 'node:util';
import { loadConfig } from '../core/config.ts';
import { SttError } from '../core/errors.ts';
import {
  type CachedSnapshot,
  listCached,
  removeDamaged,
  removeModel,
  verifySnapshot,
} from '../models/hub/cache-inventory.ts';
import {
  ctcFiles,
  exactFiles,
  type ModelNeeds,
  needsOf,
  whisperFiles,
} from '../models/hub/needs.ts';
import { cachePlaces, type HubOptions } from '../models/hub/options.ts';
import { pruneLeftovers } from '../models/hub/prune.ts';
import { parseReference } from '../models/hub/reference.ts';
import { type ResolvedModel, resolveModel } from '../models/hub/resolve-model.ts';
import { quantizedFolder } from '../models/quantized-folder.ts';
import { MODEL_ALIASES, pinnedModel } from '../models/registry.ts';
import { createDownloadView } from './download-view.ts';

const USAGE = `Usage: npm run models -- COMMAND
  pull MODEL… [--kind whisper|ctc] [--file PATH]…
                                                    download unless cached; with COMPUTE_TYPE=int8 also
                                                    make a Whisper's copy in 8 bits
  list                                              what the caches hold
  verify [MODEL…] [--delete]                        compare with the checksums; delete what is damaged,
                                                    but for RunPod's own cache
  prune [MODEL…]                                    delete leftovers, or these models
MODEL is org/name, org/name@revision, or one of ${MODEL_ALIASES.join(', ')}
`;

/** As shells have it for SIGINT. */
const EXIT_INTERRUPTED = 130;

const config = loadConfig(process.env);
const interrupted = new AbortController();
process.once('SIGINT', () => interrupted.abort());

const print = (line: string): void => void process.stdout.write(`${line}\n`);
const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;
const repoOf = (reference: string): string => {
  const target = parseReference(reference);
  if (target.kind === 'repo') return target.repo;
  throw new SttError('INPUT_INVALID', 'Expected org/name or a short name, not a folder');
};

async function pull(references: readonly string[], rule: ModelNeeds | undefined): Promise<void> {
  for (const reference of references) {
    const pinned = pinnedModel(reference.split('@')[0]!);
    const needs = rule ?? (pinned === undefined ? whisperFiles : needsOf(pinned));
    const view = createDownloadView(process.stderr);
    try {
      const options = { ...config.hub, hooks: view.hooks };
      const found = await resolveModel(reference, needs, options, interrupted.signal);
      const isWanted = needs === whisperFiles && config.engine.computeType === 'int8';
      const copy = isWanted ? await inEightBits(reference, found, options) : undefined;
      view.stop();
      print(`${reference}  ${found.revision ?? 'folder'}  ${found.source}  ${found.folder}`);
      if (copy !== undefined) print(`${reference}  8 bits  ${copy}`);
    } finally {
      view.stop();
    }
  }
}

/** So that the first start need not. */
const inEightBits = (reference: string, found: ResolvedModel, options: HubOptions) =>
  quantizedFolder(reference, found, options, interrupted.signal);

interface FoundSnapshot extends CachedSnapshot {
  /** The host keeps it for us, and for others: nothing there is ours to delete. */
  readonly isForeign: boolean;
}

async function cached(references: readonly string[]): Promise<FoundSnapshot[]> {
  const wanted = new Set(references.map(repoOf));
  const lists = await Promise.all(
    cachePlaces(config.hub).map(async ({ root, source }) =>
      (await listCached(root)).map((found) => ({ ...found, isForeign: source === 'runpod-cache' })),
    ),
  );
  return lists.flat().filter(({ repo }) => wanted.size === 0 || wanted.has(repo));
}

async function list(): Promise<void> {
  for (const { repo, commit, revisions, files, bytes, folder, isQuantized } of await cached([])) {
    const refs = revisions.length === 0 ? '-' : revisions.join(',');
    const names = isQuantized ? '8 bits' : refs;
    print(
      `${repo}  ${commit.slice(0, 12)}  ${names}  ${files} files  ${megabytes(bytes)}  ${folder}`,
    );
  }
}

async function verify(references: readonly string[], mayDelete: boolean): Promise<void> {
  for (const { repo, folder, isQuantized, isForeign } of await cached(references)) {
    if (isQuantized) continue; // made here: the Hub has no checksum of it
    for await (const { file, verdict } of verifySnapshot(folder, interrupted.signal)) {
      print(`${verdict}  ${repo}  ${file}`);
      if (verdict !== 'damaged') continue;
      process.exitCode = 1;
      if (mayDelete && !isForeign) await removeDamaged(folder, file);
      if (mayDelete && isForeign) print(`  kept: it is in RunPod's cache  ${folder}`);
    }
  }
}

async function prune(references: readonly string[]): Promise<void> {
  const ownPlaces = cachePlaces(config.hub).filter(({ source }) => source !== 'runpod-cache');
  for (const { root } of ownPlaces) {
    for (const reference of references) await removeModel(root, repoOf(reference));
    if (references.length === 0) print(`${megabytes(await pruneLeftovers(root))} freed  ${root}`);
  }
}

function ruleOf(kind: string | undefined, files: string[] | undefined): ModelNeeds | undefined {
  if (files !== undefined) return exactFiles(files);
  if (kind === undefined) return undefined;
  if (kind === 'whisper') return whisperFiles;
  if (kind === 'ctc') return ctcFiles;
  throw new SttError('INPUT_INVALID', '--kind must be whisper or ctc');
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      kind: { type: 'string' },
      file: { type: 'string', multiple: true },
      delete: { type: 'boolean', default: false },
    },
  });
  const [command, ...references] = positionals;
  const rule = ruleOf(values.kind, values.file);
  if (command === 'pull' && references.length > 0) return pull(references, rule);
  if (command === 'list') return list();
  if (command === 'verify') return verify(references, values.delete);
  if (command === 'prune') return prune(references);
  process.stderr.write(USAGE);
  process.exitCode = 2;
}

try {
  await main();
} catch (thrown) {
  const { code, message } = SttError.from(thrown);
  const isInterrupted = interrupted.signal.aborted;
  process.stderr.write(isInterrupted ? 'interrupted\n' : `${code}: ${message}\n`);
  process.exitCode = isInterrupted ? EXIT_INTERRUPTED : 1;
}
