import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import { errorCode } from './disk.ts';

/** A process that another one may ask after. */
export interface ProcessIdentity {
  /** Host, boot and process namespace: a process number means something only inside it. */
  readonly machine: string;
  readonly pid: number;
  /** Tells a process from a later one with the same number. */
  readonly startMark: string;
}

const readOr = (read: () => string): string => {
  try {
    return read().trim();
  } catch {
    return '';
  }
};

const MACHINE = [
  hostname(),
  readOr(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8')),
  readOr(() => readlinkSync('/proc/self/ns/pid')),
].join(' ');

export const thisProcess = (): ProcessIdentity => ({
  machine: MACHINE,
  pid: process.pid,
  startMark: startMark(process.pid) ?? '',
});

/** Certain knowledge only: a process of another machine is never known to be dead. */
export const isKnownDead = ({ machine, pid, startMark: mark }: ProcessIdentity): boolean =>
  machine === MACHINE && startMark(pid) !== mark;

/** Undefined when no such process runs. */
function startMark(pid: number): string | undefined {
  if (process.platform !== 'linux') return isAnswering(pid) ? 'running' : undefined;
  const status = readOr(() => readFileSync(`/proc/${pid}/stat`, 'utf8'));
  // proc(5): the name, in brackets, may hold spaces; then state (3rd field) … starttime (22nd).
  const fields = status.slice(status.lastIndexOf(')') + 2).split(' ');
  return ['', 'Z', 'X'].includes(fields[0]!) ? undefined : fields[22 - 3];
}

function isAnswering(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return errorCode(error) === 'EPERM';
  }
}
