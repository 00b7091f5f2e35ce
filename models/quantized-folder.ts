import { createHash, randomUUID } from 'node:crypto';
import { mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { writeQuantizedSafetensors } from './graph/quantize.ts';
import type { TensorTable } from './graph/safetensors.ts';
import { anySignal } from './hub/any-signal.ts';
import {
  LOCK_SUFFIX,
  PARTIAL_FOLDER,
  QUANTIZED_FOLDER,
  QUANTIZER_VERSION,
  RepoCache,
} from './hub/cache-layout.ts';
import { type Disk, diskFull, isClosed, isDiskFull, realDisk } from './hub/disk.ts';
import { type Lease, withFileLock } from './hub/file-lock.ts';
import { cachePlaces, DEFAULT_TUNING, type HubOptions } from './hub/options.ts';
import { parseReference } from './hub/reference.ts';
import { downloadRoot, type ResolvedModel } from './hub/resolve-model.ts';
import { readWhisperCheckpoint, type WhisperCheckpoint } from './whisper/checkpoint.ts';
import { copyCompanions } from './whisper/companion-files.ts';
import { quantizedForm } from './whisper/quantized-form.ts';

const WEIGHTS = 'model.safetensors';

/**
 * The folder of a Whisper's 8-bit form: the given one if it is, else a copy that is made once, in
 * the model's cache, and found there by later processes. Several may ask at once; nobody sees it
 * half-written. Where no cache can be written it is made in the system's temporary folder.
 * @throws {SttError} MODEL_INVALID, DISK_FULL; and the signal's reason.
 */
export async function quantizedFolder(
  reference: string,
  source: ResolvedModel,
  options: HubOptions,
  signal: AbortSignal,
): Promise<string> {
  const checkpoint = await readWhisperCheckpoint(source.folder);
  const { tensors } = checkpoint;
  if ([...tensors.keys()].some((name) => name.endsWith('.q'))) return source.folder;
  const identity = source.revision ?? (await identityOf(source.folder, tensors));
  const place = placeOf(reference, `${identity}-v${QUANTIZER_VERSION}`);
  const { disk = realDisk } = options;
  const makeIn = (root: string) => once(place(root), { source, checkpoint, options }, signal);
  try {
    const root = await downloadRoot(cachePlaces(options), disk);
    await disk.prepareFolder(root);
    return await makeIn(root);
  } catch (error) {
    if (!isClosed(error)) throw error;
    options.hooks?.onTemporary?.();
    return await makeIn(join(tmpdir(), 'stt-models'));
  }
}

/** Beside the snapshots of a repository, so that it goes when the model is deleted. */
const placeOf =
  (reference: string, name: string) =>
  (root: string): string => {
    const target = parseReference(reference);
    return target.kind === 'repo'
      ? join(new RepoCache(root, target.repo).folder, QUANTIZED_FOLDER, name)
      : join(root, QUANTIZED_FOLDER, `${basename(target.path)}-${name}`);
  };

/** Of a folder without a commit: its weights' files, as far as the file system tells them apart. */
async function identityOf(folder: string, tensors: TensorTable): Promise<string> {
  const files = [...new Set([...tensors.values()].map(({ file }) => file))].sort();
  const hash = createHash('sha256').update(folder);
  for (const file of files) {
    const { size, mtimeMs } = await stat(file);
    hash.update(`\n${file} ${size} ${mtimeMs}`);
  }
  return hash.digest('hex').slice(0, 16);
}

interface Work {
  readonly source: ResolvedModel;
  readonly checkpoint: WhisperCheckpoint;
  readonly options: HubOptions;
}

/** Goes on until it is made: a process that was frozen waits for the one that took its lock. */
async function once(target: string, work: Work, signal: AbortSignal): Promise<string> {
  const { lockStaleMs, lockPollMs } = { ...DEFAULT_TUNING, ...work.options.tuning };
  const onWait = (): void => work.options.hooks?.onWait?.(WEIGHTS);
  const rules = { staleMs: lockStaleMs, pollMs: lockPollMs, onWait };
  while (!(await isMade(target))) {
    await withFileLock(`${target}${LOCK_SUFFIX}`, rules, signal, async (lease) => {
      if (await isMade(target)) return;
      try {
        await make(target, { ...work, lease }, anySignal(signal, lease.lost));
      } catch (thrown) {
        if (!lease.lost.aborted || signal.aborted) throw thrown; // else whoever has the lock goes on
      }
    });
  }
  return target;
}

async function make(
  target: string,
  work: Work & { readonly lease: Lease },
  signal: AbortSignal,
): Promise<void> {
  const startedAt = performance.now();
  const { disk = realDisk, hooks } = work.options;
  await removeLeftovers(target);
  const partial = `${target}${PARTIAL_FOLDER}${randomUUID()}`;
  try {
    await mkdir(partial, { recursive: true });
    await write(partial, work, signal);
    await flushAll(partial, disk);
    await work.lease.confirm();
    await rename(partial, target);
    await disk.flushFolder(dirname(target));
    hooks?.onStage?.('quantize', performance.now() - startedAt);
  } catch (error) {
    await work.lease.confirm().catch(() => undefined); // a lost lock explains whatever went wrong
    signal.throwIfAborted();
    throw isDiskFull(error) ? await noRoom(dirname(target), work, error) : error;
  } finally {
    await rm(partial, { recursive: true, force: true });
  }
}

/** So that a power cut cannot leave a folder with its names and without its bytes. */
async function flushAll(folder: string, disk: Disk): Promise<void> {
  for (const name of await readdir(folder)) {
    const file = await open(join(folder, name), 'r+');
    await disk.flush(file).finally(() => file.close());
  }
  await disk.flushFolder(folder);
}

async function write(
  folder: string,
  { source, checkpoint, options }: Work,
  signal: AbortSignal,
): Promise<void> {
  await copyCompanions(source.folder, folder);
  const { tensors } = checkpoint;
  const onProgress = (doneBytes: number, totalBytes: number): void => {
    signal.throwIfAborted();
    options.hooks?.onQuantize?.({ file: WEIGHTS, doneBytes, totalBytes, bytesPerSec: 0 });
  };
  await writeQuantizedSafetensors(
    tensors,
    join(folder, WEIGHTS),
    quantizedForm(checkpoint),
    onProgress,
  );
}

/** Of processes that were killed: whoever writes holds the lock. */
async function removeLeftovers(target: string): Promise<void> {
  const prefix = `${basename(target)}${PARTIAL_FOLDER}`;
  for (const name of await readdir(dirname(target))) {
    if (!name.startsWith(prefix)) continue;
    await rm(join(dirname(target), name), { recursive: true, force: true });
  }
}

async function noRoom(folder: string, { checkpoint, options }: Work, cause: unknown) {
  const storedBytes = [...checkpoint.tensors.values()].reduce(
    (sum, { lengthBytes }) => sum + lengthBytes,
    0,
  );
  const freeBytes = await (options.disk ?? realDisk).freeBytes(folder);
  return diskFull(storedBytes, freeBytes, cause);
}

const isMade = (folder: string): Promise<boolean> =>
  stat(join(folder, WEIGHTS)).then(
    () => true,
    () => false,
  );
