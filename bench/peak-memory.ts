import { readFileSync, writeFileSync } from 'node:fs';

const KIBIBYTE = 1024;

/** Megabytes of this process's memory. */
export interface MemoryUse {
  /** The most since the last call of `resetPeak`, pages of mapped files included. */
  readonly peakMb: number;
  /** Now, of its own: what the system cannot read again from a file. */
  readonly ownMb: number;
}

/** Reads Linux' own count: Node's numbers know no peak that can be started anew. */
export function memoryUse(): MemoryUse {
  const status = readFileSync('/proc/self/status', 'utf8');
  const megabytes = (field: string): number => {
    const [, kibibytes = '0'] = new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(status) ?? [];
    return Math.round((Number(kibibytes) * KIBIBYTE) / 1e6);
  };
  return { peakMb: megabytes('VmHWM'), ownMb: megabytes('RssAnon') };
}

/** From here on a new peak is counted. */
export function resetPeak(): void {
  writeFileSync('/proc/self/clear_refs', '5');
}
