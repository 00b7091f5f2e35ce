import { mkdir, open, readdir, readFile, rename, rm, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { writeAt } from '../../audio/spool.ts';
import { SttError, type WireError } from '../../core/errors.ts';
import type { ScriptChoice } from '../../pipeline/chinese-script.ts';
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
  /** Tag of the given one. */
  readonly language: string | null;
  /** Tags of those that may be spoken; none: all. */
  readonly languages?: readonly string[];
  /** Null, and of earlier versions: by the tags. */
  readonly chineseScript?: ScriptChoice;
  readonly format: AudioFormat;
  /** SHA-256 of the token that resumes it, in hex. */
  readonly resumeTokenHash: string;
  /** Its audio is kept for the refined transcript. */
  readonly keepsAudio: boolean;
  /** Where the job of the refined transcript is announced. */
  readonly webhookUrl: string | null;
}

/** Why a session ends: as its client is told. */
export interface SessionEnding {
  readonly reason: string;
  /** What forced it to. */
  readonly error: WireError | null;
}

/** A session between two inputs; all that a restarted process needs beside its audio. */
export interface SessionCheckpoint {
  /** 2: samples are kept as float32. */
  readonly version: 2;
  readonly identity: SessionIdentity;
  readonly epoch: number;
  readonly live: LiveState;
  /** Last piece of the client's audio that is in the files. */
  readonly chunkSeq: number;
  readonly sampleCount: number;
  /** Last event that the client may have heard. */
  readonly eventSeq: number;
  /** Samples that count against the tenant's day already. */
  readonly countedSamples: number;
  /** Null: it goes on. */
  readonly ending: SessionEnding | null;
}

/** An event that survives a cut: numbered, and told again to who comes back. */
export type NumberedEvent = LiveWireEvent & { readonly event_seq: number };

const CHECKPOINT = 'session.json';
const EVENTS = 'events.jsonl';
/** A process that takes a session over writes to it within moments. */
const CLAIM_MS = 60_000;

/** The files of one session. `isDurable: false` writes no text: such a session ends with the process. */
export class SessionStore {
  readonly folder: string;
  readonly isDurable: boolean;
  #eventBytes = 0;
  #isRemoved = false;

  constructor(folder: string, isDurable: boolean) {
    this.folder = folder;
    this.isDurable = isDurable;
  }

  /**
   * Events first: they count only once a checkpoint names them. May be called again after a failure.
   * @throws {SttError} DISK_FULL
   */
  async save(checkpoint: SessionCheckpoint, events: readonly NumberedEvent[]): Promise<void> {
    if (!this.isDurable || this.#isRemoved) return;
    await mkdir(this.folder, { recursive: true, mode: 0o700 });
    const lines = events.map((event) => `${JSON.stringify(event)}\n`).join('');
    const eventBytes = this.#eventBytes + (await this.#write(EVENTS, lines, this.#eventBytes));
    const fresh = `${CHECKPOINT}.new`;
    await this.#write(fresh, JSON.stringify(checkpoint));
    await rename(join(this.folder, fresh), join(this.folder, CHECKPOINT));
    this.#eventBytes = eventBytes;
  }

  /** Writes the text there, and returns its length; without a place it is all that the file holds. */
  async #write(name: string, text: string, at?: number): Promise<number> {
    const bytes = Buffer.from(text);
    if (bytes.length === 0) return 0;
    const path = join(this.folder, name);
    const file = await open(path, at ? 'r+' : 'w', 0o600);
    try {
      return (await writeAt(file, bytes, at ?? 0)) - (at ?? 0);
    } finally {
      await file.close();
    }
  }

  /** Undefined for a folder without a session. */
  async load(): Promise<
    { readonly checkpoint: SessionCheckpoint; readonly events: NumberedEvent[] } | undefined
  > {
    const text = await readFile(join(this.folder, CHECKPOINT), 'utf8').catch(() => undefined);
    if (text === undefined) return undefined;
    const checkpoint = JSON.parse(text) as SessionCheckpoint; // Our own file, renamed when whole.
    if (checkpoint.version !== 2) throw new SttError('INTERNAL', 'A session of another version');
    return { checkpoint, events: await this.#events(checkpoint.eventSeq) };
  }

  /** Those that the checkpoint names; what stands behind them was never told, and is written over. */
  async #events(lastSeq: number): Promise<NumberedEvent[]> {
    if (lastSeq === 0) return [];
    const text = await readFile(join(this.folder, EVENTS), 'utf8');
    const events: NumberedEvent[] = [];
    this.#eventBytes = 0;
    for (const line of text.split('\n').slice(0, lastSeq)) {
      events.push(JSON.parse(line) as NumberedEvent);
      this.#eventBytes += Buffer.byteLength(line) + 1;
    }
    return events;
  }

  /** How long nothing has been written to it, and nobody has said that it is in use. */
  async ageMs(): Promise<number> {
    return Date.now() - (await stat(this.folder)).mtimeMs;
  }

  /** Tells other processes that it is in use. */
  async touch(): Promise<void> {
    const now = new Date();
    await utimes(this.folder, now, now);
  }

  /** True for one process only: the one that takes the session over from the epoch before. */
  async claim(epoch: number): Promise<boolean> {
    const claim = join(this.folder, `epoch-${epoch}`);
    const madeMs = await stat(claim).then(
      ({ mtimeMs }) => mtimeMs,
      () => Number.POSITIVE_INFINITY,
    );
    // Whoever made it has died before it came to anything.
    if (Date.now() - madeMs > CLAIM_MS) await rm(claim, { recursive: true, force: true });
    return await mkdir(claim).then(
      () => true,
      () => false,
    );
  }

  /** For good: nothing is written to it any more. */
  async remove(): Promise<void> {
    this.#isRemoved = true;
    await rm(this.folder, { recursive: true, force: true });
  }
}

/** The sessions that an earlier process left in a folder. */
export async function storedSessions(folder: string): Promise<SessionStore[]> {
  const names = await readdir(folder).catch(() => []);
  return names.map((name) => new SessionStore(join(folder, name), true));
}
