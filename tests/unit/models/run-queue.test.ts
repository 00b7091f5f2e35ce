import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type QueuedRun, type RunPriority, RunQueue } from '../../../models/engine/run-queue.ts';

interface Named extends QueuedRun {
  readonly name: string;
}

const run = (
  name: string,
  level: RunPriority,
  { session = null, isChange = false }: Partial<QueuedRun> = {},
): Named => ({ name, priority: () => level, session, isChange });

function namesOf(queue: RunQueue<Named>): string[] {
  const names: string[] = [];
  for (let next = queue.take(); next !== undefined; next = queue.take()) names.push(next.name);
  return names;
}

function queueOf(...runs: readonly Named[]): RunQueue<Named> {
  const queue = new RunQueue<Named>();
  for (const one of runs) queue.add(one);
  return queue;
}

test('live captions go first, then the words of files, then the rest, each by arrival', () => {
  const queue = queueOf(
    run('d1', 'background'),
    run('f1', 'file'),
    run('d2', 'background'),
    run('r1', 'realtime'),
    run('f2', 'file'),
    run('r2', 'realtime'),
  );
  expect(namesOf(queue)).toEqual(['r1', 'r2', 'f1', 'f2', 'd1', 'd2']);
  expect(queue.take()).toBeUndefined();
});

test('what waits may become more urgent', () => {
  let level: RunPriority = 'file';
  const queue = queueOf(run('f1', 'file'), { ...run('turn', 'file'), priority: () => level });
  level = 'realtime';
  expect(namesOf(queue)).toEqual(['turn', 'f1']);
});

test('the oldest lets four others go first, sixteen where they are live', () => {
  for (const [level, passes] of [
    ['file', 4],
    ['realtime', 16],
  ] as const) {
    const queue = queueOf(run('old', 'background'));
    for (let index = 0; index < 40; index++) queue.add(run(`new${index}`, level));
    expect(namesOf(queue).indexOf('old')).toBe(passes);
  }
});

test('whatever keeps arriving, nothing waits for ever', () => {
  const levels = fc.array(fc.constantFrom('realtime', 'file', 'background'), { maxLength: 120 });
  fc.assert(
    fc.property(levels, (all: readonly RunPriority[]) => {
      const queue = new RunQueue<Named>();
      const due = new Map<string, number>();
      let taken = 0;
      for (const [index, level] of all.entries()) {
        queue.add(run(String(index), level));
        due.set(String(index), taken + 17 * queue.length);
        if (index % 2 === 0) expect(taken++).toBeLessThan(due.get(queue.take()!.name)!);
      }
      for (const name of namesOf(queue)) expect(taken++).toBeLessThan(due.get(name)!);
      expect(taken).toBe(all.length);
    }),
  );
});

test('a session is changed behind the runs that came before, and before those that came after', () => {
  const queue = queueOf(
    run('run 1', 'background', { session: 'a' }),
    run('unload', 'realtime', { session: 'a', isChange: true }),
    run('load', 'realtime', { session: 'a', isChange: true }),
    run('run 2', 'realtime', { session: 'a' }),
    run('other', 'file', { session: 'b' }),
  );
  expect(namesOf(queue)).toEqual(['other', 'run 1', 'unload', 'load', 'run 2']);
});

test('runs of one session pass each other over', () => {
  const queue = queueOf(
    run('minute', 'file', { session: 'vad' }),
    run('word', 'realtime', { session: 'vad' }),
  );
  expect(namesOf(queue)).toEqual(['word', 'minute']);
});

test('what is put in front comes first among equals, and what is removed never', () => {
  const queue = queueOf(run('a', 'realtime'), run('b', 'realtime'));
  const [gone] = [run('gone', 'realtime')];
  queue.add(gone);
  queue.addFirst([run('load 1', 'realtime'), run('load 2', 'realtime')]);
  queue.remove(gone);
  expect(namesOf(queue)).toEqual(['load 1', 'load 2', 'a', 'b']);
});
