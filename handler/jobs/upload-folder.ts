import { createHash, randomUUID } from 'node:crypto';
import { constants, createReadStream } from 'node:fs';
import {
  copyFile,
  link,
  mkdir,
  open,
  readdir,
  readFile,
  rm,
  stat,
  writeFile,
} from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { SttError } from '../../core/errors.ts';

const TENANT_DIGITS = 16;
const MARK_FILE = 'volume-id';
const FULL_DISK: ReadonlySet<unknown> = new Set(['ENOSPC', 'EDQUOT']);

/** Recordings of jobs that have not settled, each tenant's in a folder of its own. */
export class UploadFolder {
  /** The same for every process that sees these files, and for no other. */
  readonly volume: string;
  readonly #folder: string;
  /** Files that no job is stored for yet. */
  readonly #arriving = new Set<string>();

  private constructor(folder: string, volume: string) {
    this.#folder = folder;
    this.volume = volume;
  }

  static async open(dataDir: string): Promise<UploadFolder> {
    const folder = join(dataDir, 'uploads');
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const mark = join(dataDir, MARK_FILE);
    // Whoever comes first names the folder; a second writer finds the file and reads it.
    await writeFile(mark, randomUUID(), { flag: 'wx', mode: 0o600 }).catch(ignore('EEXIST'));
    return new UploadFolder(folder, (await readFile(mark, 'utf8')).trim());
  }

  pathOf(name: string): string {
    return join(this.#folder, name);
  }

  /**
   * Keeps a copy of the file that survives its caller and a loss of power, and returns its name. A
   * link where that is possible: nothing is copied then.
   * @throws {SttError} DISK_FULL
   */
  async keep(tenant: string | null, path: string): Promise<string> {
    const tenantFolder = createHash('sha256')
      .update(tenant ?? '')
      .digest('hex');
    const name = join(tenantFolder.slice(0, TENANT_DIGITS), randomUUID());
    const target = this.pathOf(name);
    this.#arriving.add(name);
    try {
      const made = await mkdir(dirname(target), { recursive: true, mode: 0o700 });
      await link(path, target).catch(() => copyFile(path, target, constants.COPYFILE_EXCL));
      await syncToDisk(target);
      await syncToDisk(dirname(target)); // a name is the content of its folder
      if (made !== undefined) await syncToDisk(this.#folder);
      return name;
    } catch (thrown) {
      await this.remove(name);
      if (!FULL_DISK.has(codeOf(thrown))) throw thrown;
      throw new SttError('DISK_FULL', 'The folder of uploads is full', { cause: thrown });
    }
  }

  /** A job is stored that needs the file. */
  stored(name: string): void {
    this.#arriving.delete(name);
  }

  /** False: there was none. */
  async remove(name: string): Promise<boolean> {
    this.#arriving.delete(name);
    return await rm(this.pathOf(name)).then(
      () => true,
      (thrown: unknown) => {
        ignore('ENOENT')(thrown);
        return false;
      },
    );
  }

  /**
   * Removes files that no job needs, left by processes that died between two steps. Younger ones
   * may be on their way into the store of another process.
   */
  async sweep(inUse: ReadonlySet<string>, minAgeMs: number): Promise<number> {
    let removed = 0;
    for (const tenantFolder of await readdir(this.#folder)) {
      for (const file of await readdir(this.pathOf(tenantFolder)).catch(() => [])) {
        const name = join(tenantFolder, file);
        if (inUse.has(name) || this.#arriving.has(name)) continue;
        const status = await stat(this.pathOf(name)).catch(() => undefined);
        if (status === undefined || Date.now() - status.ctimeMs < minAgeMs) continue;
        await this.remove(name);
        removed += 1;
      }
    }
    return removed;
  }
}

async function syncToDisk(path: string): Promise<void> {
  const handle = await open(path, 'r');
  await handle.sync().finally(() => handle.close());
}

/** SHA-256 of a file, read in pieces. */
export async function hashFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}

const codeOf = (thrown: unknown): unknown =>
  thrown instanceof Error && 'code' in thrown ? thrown.code : undefined;

const ignore =
  (code: string) =>
  (thrown: unknown): void => {
    if (codeOf(thrown) !== code) throw thrown;
  };
