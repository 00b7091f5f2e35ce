import type { DownloadProgress } from './options.ts';

const WINDOW_MS = 3000;

/** Counts the bytes of one file and reports them from time to time, the first and last ones always. */
export class ProgressMeter {
  readonly #report: (progress: DownloadProgress) => void;
  readonly #everyMs: number;
  readonly #file: string;
  readonly #totalBytes: number;
  /** Bytes that came over the network since the start, at moments of the last three seconds. */
  readonly #window: { atMs: number; bytes: number }[];
  #receivedBytes = 0;
  #reportedAtMs = Number.NEGATIVE_INFINITY;

  constructor(
    { path, sizeBytes }: { readonly path: string; readonly sizeBytes: number },
    everyMs: number,
    report: (progress: DownloadProgress) => void,
  ) {
    this.#file = path;
    this.#totalBytes = sizeBytes;
    this.#everyMs = everyMs;
    this.#report = report;
    this.#window = [{ atMs: performance.now(), bytes: 0 }];
  }

  /** @param doneBytes of the file, those of earlier runs included */
  update(receivedBytes: number, doneBytes: number): void {
    this.#receivedBytes += receivedBytes;
    const nowMs = performance.now();
    const isDone = doneBytes === this.#totalBytes;
    if (!isDone && nowMs - this.#reportedAtMs < this.#everyMs) return;
    this.#reportedAtMs = nowMs;
    this.#report({
      file: this.#file,
      doneBytes,
      totalBytes: this.#totalBytes,
      bytesPerSec: this.#speed(nowMs),
    });
  }

  #speed(nowMs: number): number {
    this.#window.push({ atMs: nowMs, bytes: this.#receivedBytes });
    while (this.#window.length > 2 && this.#window[1]!.atMs < nowMs - WINDOW_MS)
      this.#window.shift();
    const { atMs, bytes } = this.#window[0]!;
    return nowMs === atMs ? 0 : ((this.#receivedBytes - bytes) / (nowMs - atMs)) * 1000;
  }
}
