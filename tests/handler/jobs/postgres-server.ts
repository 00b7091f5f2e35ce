import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';

const DEBIAN_FOLDER = '/usr/lib/postgresql';
const IS_ROOT = process.getuid?.() === 0;

export interface PostgresServer {
  /** The URL of a new, empty schema. */
  createDatabase(): string;
  stop(): Promise<void>;
}

const binFolder = existsSync(DEBIAN_FOLDER)
  ? readdirSync(DEBIAN_FOLDER)
      .map((version) => join(DEBIAN_FOLDER, version, 'bin'))
      .findLast((folder) => existsSync(join(folder, 'initdb')))
  : undefined;

/** PostgreSQL refuses to run as root. */
function unprivilegedUser(): { uid: number; gid: number } | undefined {
  const idOf = (flag: string) => Number(execFileSync('id', [flag, 'postgres'], { stdio: 'pipe' }));
  return IS_ROOT ? { uid: idOf('-u'), gid: idOf('-g') } : undefined;
}

/** Why no server can be started here; undefined if one can. */
export const postgresMissing =
  binFolder === undefined ? `no PostgreSQL below ${DEBIAN_FOLDER}` : undefined;

/** A real PostgreSQL of our own, on a Unix socket in a temporary folder. */
export async function startPostgres(): Promise<PostgresServer> {
  if (binFolder === undefined) throw new Error(postgresMissing);
  const user = unprivilegedUser();
  const folder = mkdtempSync(join(tmpdir(), 'stt-postgres-'));
  if (user !== undefined) chownSync(folder, user.uid, user.gid);
  const data = join(folder, 'data');
  const initArguments = ['-D', data, '-U', 'stt', '-A', 'trust', '--no-sync', '-E', 'UTF8'];
  const environment = { LC_ALL: 'C', PATH: process.env['PATH'] };
  const options = { ...user, cwd: folder, env: environment };
  execFileSync(join(binFolder, 'initdb'), initArguments, { ...options, stdio: 'pipe' });
  const server = spawn(
    join(binFolder, 'postgres'),
    ['-D', data, '-k', folder, '-c', 'listen_addresses=', '-c', 'fsync=off'],
    { ...options, stdio: 'ignore' },
  );
  const sql = (statement: string) =>
    execFileSync(
      join(binFolder, 'psql'),
      ['-h', folder, '-U', 'stt', '-d', 'postgres', '-qc', statement],
      { ...options, stdio: 'pipe' },
    );
  for (let attempt = 0; ; attempt += 1) {
    try {
      sql('SELECT 1');
      break;
    } catch (thrown) {
      if (attempt > 100) throw thrown;
      await wait(50);
    }
  }
  let databases = 0;
  return {
    createDatabase: () => {
      databases += 1;
      sql(`CREATE SCHEMA test${databases}`);
      const query = new URLSearchParams({
        host: folder,
        options: `-csearch_path=test${databases}`,
      });
      return `postgresql://stt@localhost/postgres?${query.toString()}`;
    },
    stop: async () => {
      const ended = once(server, 'exit');
      server.kill('SIGQUIT');
      await ended;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
