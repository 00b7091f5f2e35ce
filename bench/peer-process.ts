import { type ChildProcess, spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { createInterface, type Interface } from 'node:readline';

/** One contestant: a process that stays warm and transcribes once per line that it is sent. */
export interface Peer {
  readonly name: string;
  run(): Promise<PeerRun>;
  /** Largest resident memory so far, as the kernel counted it. */
  peakMemoryMb(): Promise<number>;
  /** Resident memory now. */
  residentMemoryMb(): Promise<number>;
  stop(): void;
}

export interface PeerRun {
  readonly sec: number;
  readonly text: string;
}

/** Starts a contestant and waits until its models are loaded; undefined if it cannot run here. */
export async function startPeer(
  name: string,
  command: string,
  args: readonly string[],
): Promise<Peer | undefined> {
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'] });
  let complaint = '';
  child.stderr.on('data', (chunk: Buffer) => {
    complaint = (complaint + chunk.toString()).slice(-2000);
  });
  const lines = createInterface({ input: child.stdout });
  const ready = await nextLine(lines, child);
  if (ready === undefined) {
    process.stderr.write(`${name} does not run here: ${complaint.trim().split('\n').at(-1)}\n`);
    return undefined;
  }
  return {
    name,
    async run() {
      child.stdin.write('\n');
      const line = await nextLine(lines, child);
      if (line === undefined) throw new Error(`${name} ended: ${complaint}`);
      return JSON.parse(line) as PeerRun;
    },
    peakMemoryMb: () => memoryMb(child, 'VmHWM'),
    residentMemoryMb: () => memoryMb(child, 'VmRSS'),
    stop: () => void child.stdin.end(),
  };
}

async function memoryMb({ pid }: ChildProcess, field: 'VmHWM' | 'VmRSS'): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(new RegExp(`${field}:\\s+(\\d+) kB`).exec(status)?.[1] ?? 0) / 1024;
}

function nextLine(lines: Interface, child: ChildProcess): Promise<string | undefined> {
  return new Promise((resolve) => {
    const settle = (line?: string): void => {
      lines.off('line', settle);
      child.off('exit', onEnd);
      child.off('error', onEnd);
      resolve(line);
    };
    const onEnd = (): void => settle();
    lines.on('line', settle);
    child.on('exit', onEnd);
    child.on('error', onEnd);
  });
}
