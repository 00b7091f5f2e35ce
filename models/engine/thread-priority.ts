import { getPriority, setPriority } from 'node:os';

/** Steps of niceness below the rest of the process: of two that want a core, it gets a quarter. */
const NICER_BY = 5;
const NICEST = 19;

/**
 * Lets the event loop go first where the engine computes on all cores: this thread, and those that its
 * sessions start from now on, yield to it. Linux keeps the priority by thread; elsewhere it would be
 * the whole process's, so nothing is done there.
 */
export function yieldToEventLoop(): void {
  if (process.platform !== 'linux') return;
  setPriority(Math.min(NICEST, getPriority() + NICER_BY));
}
