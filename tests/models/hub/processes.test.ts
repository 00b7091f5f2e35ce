import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { describe, expect, onTestFinished, test } from 'vitest';
import { readProgress } from '../../../models/hub/partial-file.ts';
import type { ResolvedModel } from '../../../models/hub/resolve-model.ts';
import { sha256 } from '../../fakes/hub-server.ts';
import {
  bytesSent,
  bytesSentTwice,
  content,
  digestsIn,
  digestsOf,
  filesBelow,
  QUICK,
  REPO,
  until,
  WANTED,
  WEIGHT_BYTES,
  type Workbench,
  whisperRepo,
  workbench,
} from './hub-workbench.ts';

const WEIGHTS = 'model.safetensors';
const WEIGHTS_HASH = sha256(content('weights', WEIGHT_BYTES));
const ALL_WELL = digestsIn(whisperRepo(), WANTED);

interface Worker {
  readonly process: ChildProcess;
  readonly model: Promise<ResolvedModel>;
}

/** Resolves the model in a process of its own. */
function startWorker({ options }: Workbench): Worker {
  const script = fileURLToPath(new URL('./resolve-in-process.ts', import.meta.url));
  const flags = ['--import', './scripts/typescript.mjs', script, REPO];
  const worker = spawn(process.execPath, [...flags, JSON.stringify(options)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void worker.kill('SIGKILL'));
  return { process: worker, model: text(worker.stdout).then((json) => JSON.parse(json)) };
}

describe('several processes', () => {
  test('that start at the same moment fetch every file once', async () => {
    const bench = await workbench();
    bench.hub.fail({ on: 'content', times: 99, kind: { bytesPerSec: 300_000 } });
    const workers = [startWorker(bench), startWorker(bench), startWorker(bench)];
    const models = await Promise.all(workers.map(({ model }) => model));
    for (const model of models) expect(await digestsOf(model)).toEqual(ALL_WELL);
    for (const file of WANTED) {
      expect(bytesSent(bench.hub, file)).toBe(whisperRepo().files[file]!.length);
    }
    expect(await filesBelow(join(bench.cache, '.locks'))).toEqual([]);
  });

  test('share the work of one that was killed: its bytes are not fetched again', async () => {
    const bench = await workbench();
    const { hub } = bench;
    hub.fail({ on: 'content', file: WEIGHTS, times: 4, kind: { bytesPerSec: 50_000 } });
    const killed = startWorker(bench);
    killed.model.catch(() => undefined);
    const partial = join(bench.repoFolder, 'blobs', `${WEIGHTS_HASH}.stt-partial`);
    const recorded = async (): Promise<number> =>
      (await readProgress(partial, WEIGHT_BYTES))?.doneBytes ?? 0;
    await until(async () => (await recorded()) > 60_000);
    killed.process.kill('SIGKILL');
    await once(killed.process, 'close');
    const keptBytes = await recorded();
    expect(await filesBelow(join(bench.repoFolder, 'snapshots'))).toEqual([]);
    const before = hub.requests.length;

    const tuning = { ...QUICK, lockStaleMs: 60_000 }; // a dead owner needs no waiting for
    expect(await digestsOf(await bench.resolve(REPO, { tuning }))).toEqual(ALL_WELL);
    const later = hub.requests.slice(before).filter(({ file }) => file === WEIGHTS);
    const laterBytes = later.flatMap(({ sent }) => sent).reduce((sum, [a, b]) => sum + b - a, 0);
    expect(laterBytes).toBe(WEIGHT_BYTES - keptBytes);
  });

  test.each(['when all is done', 'in the middle of it'])(
    'take the work from one that is frozen, which wakes up %s and harms nothing',
    async (moment) => {
      const bench = await workbench();
      bench.hub.fail({ on: 'content', file: WEIGHTS, times: 12, kind: { bytesPerSec: 50_000 } });
      const requests = () => bench.hub.requests.filter(({ file }) => file === WEIGHTS).length;
      const frozen = startWorker(bench);
      await until(() => bytesSent(bench.hub, WEIGHTS) > 20_000);
      frozen.process.kill('SIGSTOP');
      const asked = requests();
      const waited: string[] = [];
      const taking = bench.resolve(REPO, { hooks: { onWait: (file) => waited.push(file) } });
      if (moment === 'when all is done') await taking;
      else await until(() => requests() > asked + 1);
      frozen.process.kill('SIGCONT');
      expect(await digestsOf(await taking)).toEqual(ALL_WELL);
      expect(waited).toEqual([WEIGHTS]);
      expect(await digestsOf(await frozen.model)).toEqual(ALL_WELL);
      expect(await filesBelow(join(bench.cache, '.locks'))).toEqual([]);
      const blobs = await filesBelow(join(bench.repoFolder, 'blobs'));
      expect(blobs).toHaveLength(WANTED.length);
    },
  );

  test('do not trust a record that claims more than the file has', async () => {
    const bench = await workbench();
    const partial = join(bench.repoFolder, 'blobs', `${WEIGHTS_HASH}.stt-partial`);
    await mkdir(join(bench.repoFolder, 'blobs'), { recursive: true });
    const done = new Array(7).fill(100);
    const record = { sizeBytes: WEIGHT_BYTES, pieceBytes: QUICK.pieceBytes, done };
    await writeFile(`${partial}.json`, JSON.stringify(record));
    await writeFile(partial, 'short');
    expect(await digestsOf(await bench.resolve())).toEqual(ALL_WELL);
    expect(bytesSentTwice(bench.hub, WEIGHTS)).toBe(0);
    expect(bench.retries).toEqual([]);
    await expect(readFile(partial)).rejects.toThrow('ENOENT');
  });
});
