import { setTimeout as wait } from 'node:timers/promises';
import { SttError } from '../../../core/errors.ts';
import { type SchedulerTrouble, WindowScheduler } from '../../../models/engine/window-scheduler.ts';
import type { Scheduling } from '../../../pipeline/contracts.ts';

export const never = new AbortController().signal;
export const FILE: Scheduling = { priority: 'file', tenant: null };
export const LIVE: Scheduling = { priority: 'realtime', tenant: null };

interface Harness {
  readonly batchSize: number;
  readonly runMs?: number;
  /** Runs take at least until then. */
  readonly runsUntil?: Promise<unknown>;
  readonly ready?: () => Promise<void>;
  shapeOf?(item: string): string;
  makeRoom?(): Promise<boolean>;
  /** Thrown by the batches for which it gives an error. */
  fail?(items: readonly string[]): Error | undefined;
}

/** A scheduler of words: those with the same first letter share batches; the answer is upper case. */
export function harness({ batchSize, runMs = 5, runsUntil, ready, fail, ...options }: Harness) {
  const batches: string[][] = [];
  const troubles: SchedulerTrouble[] = [];
  const scheduler = new WindowScheduler<string, string>({
    ...options,
    batchSize,
    keyOf: (item) => item[0]!,
    run: async (items) => {
      batches.push([...items]);
      await Promise.all([wait(runMs), runsUntil]);
      const error = fail?.(items);
      if (error) throw error;
      return items.map((item) => item.toUpperCase());
    },
    ...(ready !== undefined && { turn: () => ready().then(() => ({ end: () => {} })) }),
    onTrouble: (trouble) => troubles.push(trouble),
  });
  const submit = (item: string, scheduling = FILE, signal = never): Promise<string> =>
    scheduler.submit(item, scheduling, signal);
  const submitAll = (items: readonly string[], scheduling = FILE) =>
    Promise.allSettled(items.map((item) => submit(item, scheduling)));
  return { scheduler, batches, troubles, submit, submitAll };
}

export const outOfMemory = (): Error => new SttError('GPU_OUT_OF_MEMORY', 'Too little memory');
export const answers = (settled: readonly PromiseSettledResult<string>[]): string[] =>
  settled.map((result) => (result.status === 'fulfilled' ? result.value : 'failed'));

/** A moment that comes when it is told to. */
export function moment(): { readonly come: () => void; readonly hasCome: Promise<void> } {
  let come = (): void => {};
  const hasCome = new Promise<void>((resolve) => {
    come = resolve;
  });
  return { come, hasCome };
}
