import {
  appendFile,
  mkdir,
  readdir,
  readFile,
  rename,
  rm,
  truncate,
  writeFile,
} from 'node:fs/promises';
import { join } from 'node:path';
import type { LiveState } from '../../pipeline/realtime/session-state.ts';
import type { AudioFormat } from './contracts.ts';
import type { LiveWireEvent } from './live-events.ts';

/** What a session is, fixed when it starts. */
export interface SessionIdentity {
  /** Unguessable; names the folder. */
  readonly key: string;
  /** As the client calls it. */
  readonly sessionId: string;
  readonly meetingId: string | null;
  readonly tenant: string | null;
  readonly language: string | null;
  readonly format: AudioFormat;
  /** SHA-256 of the token that resumes it, in hex. */
  readonly resumeTokenHash: string;
  /** Its audio is kept for the refined transcript. */
  readonly keepsAudio: boolean;
}

/** A session between two inputs; all that a restarted process needs beside its audio. */
export interface SessionCheckpoint {
  readonly version: 1;
  readonly identity: SessionIdentity;
  readonly epoch: number;
  readonly live: LiveState;
  /** Last piece of the client's audio that is in the files. */
  readonly chunkSeq: number;
  readonly sampleCount: number;
  /** Last event that the client may have heard. */
  readonly eventSeq: number;
}

/** An event that survives a cut: numbered, and told again to who comes back. */
export type NumberedEvent = LiveWireEvent & { readonly event_seq: number };

const CHECKPOINT = 'session.json';
const EVENTS = 'events.jsonl';

/** The files of one session. `isDurable: false` writes no text: such a session ends with the process. */
export class SessionStore {
  readonly folder: string;
  readonly #isDurable: boolean;

  constructor(folder: string, isDurable: boolean) {
    this.folder = folder;
    this.#isDurable = isDurable;
  }

  /** Events first: they count only once a checkpoint names them. */
  async save(checkpoint: SessionCheckpoint, events: readonly NumberedEvent[]): Promise<void> {
    if (!this.#isDurable) return;
    await mkdir(this.folder, { recursive: true, mode: 0o700 });
    if (events.length > 0) {
      const lines = events.map((event) => `${JSON.stringify(event)}\n`).join('');
      await appendFile(join(this.folder, EVENTS), lines, { mode: 0o600 });
    }
    const path = join(this.folder, CHECKPOINT);
    await writeFile(`${path}.new`, JSON.stringify(checkpoint), { mode: 0o600 });
    await rename(`${path}.new`, path);
  }

  /** Undefined for a folder without a session. */
  async load(): Promise<
    { readonly checkpoint: SessionCheckpoint; readonly events: NumberedEvent[] } | undefined
  > {
    const text = await readFile(join(this.folder, CHECKPOINT), 'utf8').catch(() => undefined);
    if (text === undefined) return undefined;
    const checkpoint = JSON.parse(text) as SessionCheckpoint; // Our own file, renamed when whole.
    if (checkpoint.version !== 1) return undefined;
    return { checkpoint, events: await this.#events(checkpoint.eventSeq) };
  }

  /** Those that the checkpoint names; what was written behind them was never told and is cut off. */
  async #events(lastSeq: number): Promise<NumberedEvent[]> {
    const path = join(this.folder, EVENTS);
    const text = await readFile(path, 'utf8').catch(() => '');
    const events: NumberedEvent[] = [];
    let length = 0;
    for (const line of text.split('\n').slice(0, lastSeq)) {
      events.push(JSON.parse(line) as NumberedEvent);
      length += Buffer.byteLength(line) + 1;
    }
    if (text !== '') await truncate(path, length);
    return events;
  }

  async remove(): Promise<void> {
    await rm(this.folder, { recursive: true, force: true });
  }
}

/** The sessions that an earlier process left in a folder. */
export async function storedSessions(folder: string): Promise<SessionStore[]> {
  const names = await readdir(folder).catch(() => []);
  return names.map((name) => new SessionStore(join(folder, name), true));
}
