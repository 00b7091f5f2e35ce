import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { SttError } from '../../core/errors.ts';
import { anySignal } from './any-signal.ts';
import { cachePlaces, DEFAULT_TUNING, type HubOptions } from './options.ts';
import { thisProcess } from './process-identity.ts';
import { TransientFailure } from './retry.ts';

/** A refusal costs nothing to hear again, and a network may come up late. */
const REFUSED_FOR_MS = 60_000;
/** Silence costs the whole deadline. */
const SILENT_FOR_MS = 300_000;
const FILE_NAME = '.stt-hub-silent.json';

const Silence = z.object({ endpoint: z.string(), machine: z.string(), untilMs: z.number() });

interface Failure {
  readonly reason: string;
  readonly untilMs: number;
}

/**
 * Asks the Hub about models that one can do without: each request is tried once, within
 * `tuning.reachMs`. After a failure none is tried for a minute, after silence for five, which other
 * processes of this machine learn from a file in the Hugging Face cache.
 */
export class HubReach {
  readonly #options: HubOptions;
  readonly #file: string;
  readonly #reachMs: number;
  #failure: Failure | undefined;

  constructor(options: HubOptions) {
    this.#options = options;
    const { root } = cachePlaces(options).find(({ source }) => source === 'hf-cache')!;
    this.#file = join(root, FILE_NAME);
    this.#reachMs = options.tuning?.reachMs ?? DEFAULT_TUNING.reachMs;
  }

  /**
   * @param ask one request with its answer; fails with `TransientFailure` where a later one may not.
   * @throws {SttError} MODEL_DOWNLOAD_FAILED where the Hub cannot be reached; other failures of `ask`
   * and the signal's reason.
   */
  async once<T>(ask: (signal: AbortSignal) => Promise<T>, signal: AbortSignal): Promise<T> {
    const known = this.#failure ?? (await this.#knownSilence());
    if (known !== undefined && known.untilMs > Date.now()) throw unreachable(known);
    const deadline = new AbortController();
    const timer = setTimeout(() => deadline.abort(), this.#reachMs);
    try {
      return await ask(anySignal(signal, deadline.signal));
    } catch (thrown) {
      signal.throwIfAborted();
      if (deadline.signal.aborted) throw await this.#rememberSilence();
      if (!(thrown instanceof TransientFailure)) throw thrown;
      throw unreachable(this.#remember(thrown.message, REFUSED_FOR_MS));
    } finally {
      clearTimeout(timer);
    }
  }

  #remember(reason: string, forMs: number): Failure {
    this.#failure = { reason, untilMs: Date.now() + forMs };
    this.#options.hooks?.onUnreachable?.(reason, forMs);
    return this.#failure;
  }

  async #rememberSilence(): Promise<SttError> {
    const failure = this.#remember(silentFor(this.#reachMs), SILENT_FOR_MS);
    const silence: z.input<typeof Silence> = {
      endpoint: this.#options.endpoint,
      machine: thisProcess().machine,
      untilMs: failure.untilMs,
    };
    try {
      await mkdir(dirname(this.#file), { recursive: true });
      await writeFile(this.#file, JSON.stringify(silence));
    } catch {
      // A cache that cannot be written: the next process finds out by itself.
    }
    return unreachable(failure);
  }

  /** What another process of this machine has found of the same Hub. */
  async #knownSilence(): Promise<Failure | undefined> {
    const silence = parseSilence(await readFile(this.#file, 'utf8').catch(() => ''));
    const isOurs =
      silence?.endpoint === this.#options.endpoint && silence.machine === thisProcess().machine;
    // A clock that has been set back would make it last.
    if (!isOurs || silence.untilMs > Date.now() + SILENT_FOR_MS) return undefined;
    return { reason: silentFor(this.#reachMs), untilMs: silence.untilMs };
  }
}

function parseSilence(text: string): z.output<typeof Silence> | undefined {
  try {
    return Silence.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

const silentFor = (ms: number): string => `The Hub did not answer within ${ms} ms`;

const unreachable = ({ reason }: Failure): SttError =>
  new SttError('MODEL_DOWNLOAD_FAILED', `${reason}; it is asked again later`);
