import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { InferenceEngine } from '../../models/engine/engine.ts';

const VAD_FILE = new URL(
  '../../models/embedded/silero-vad/silero_vad_16k_sequence.onnx',
  import.meta.url,
).pathname;
/** Place of the nice value behind the name in `/proc/…/stat`, which may hold spaces itself. */
const NICE_FIELD = 16;

/** Niceness of every thread of this process that is there now. */
const nicenessByThread = (): ReadonlyMap<string, number> =>
  new Map(
    readdirSync('/proc/self/task').map((thread) => {
      const stat = readFileSync(`/proc/self/task/${thread}/stat`, 'utf8');
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      return [thread, Number(fields[NICE_FIELD])];
    }),
  );

test.runIf(process.platform === 'linux')(
  'threads of the engine yield to the event loop on Linux: they alone are nicer than it',
  async () => {
    const before = nicenessByThread();
    const own = before.get(String(process.pid))!;
    const engine = new InferenceEngine({ device: 'cpu', threads: 2 }, () => {});
    try {
      await engine.load('vad', { kind: 'onnx', file: VAD_FILE });
      const after = nicenessByThread();
      const [old, added] = [true, false].map((wasThere) =>
        [...after].filter(([thread]) => before.has(thread) === wasThere),
      );
      expect(added!.filter(([, niceness]) => niceness > own).length).toBeGreaterThanOrEqual(2);
      expect(old).toEqual([...before].filter(([thread]) => after.has(thread)));
    } finally {
      await engine.close();
    }
  },
);
