import type { DownloadProgress } from './options.ts';

const MEGABYTE = 1e6;

/** Where the download of a whole model stands. */
export interface ModelProgress {
  readonly files: number;
  readonly doneBytes: number;
  readonly totalBytes: number;
  readonly bytesPerSec: number;
}

/** Adds up the files of a model: the parts of it that are still coming give the speed. */
function sumProgress(files: Iterable<DownloadProgress>): ModelProgress {
  const sum = { files: 0, doneBytes: 0, totalBytes: 0, bytesPerSec: 0 };
  for (const { doneBytes, totalBytes, bytesPerSec } of files) {
    sum.files += 1;
    sum.doneBytes += doneBytes;
    sum.totalBytes += totalBytes;
    if (doneBytes < totalBytes) sum.bytesPerSec += bytesPerSec;
  }
  return sum;
}

/** `onProgress` for where there is no terminal: reports the whole model at most every few seconds. */
export function everyFewSeconds(
  everyMs: number,
  report: (progress: ModelProgress) => void,
): (progress: DownloadProgress) => void {
  const files = new Map<string, DownloadProgress>();
  let reportedAtMs = performance.now();
  return (progress) => {
    files.set(progress.file, progress);
    if (performance.now() - reportedAtMs < everyMs) return;
    reportedAtMs = performance.now();
    report(sumProgress(files.values()));
  };
}

/** `412 of 3090 MB, 210 MB/s, 13 s left` */
export function describeProgress({ doneBytes, totalBytes, bytesPerSec }: ModelProgress): string {
  const inMegabytes = (bytes: number): string => (bytes / MEGABYTE).toFixed(0);
  const leftSec = Math.ceil((totalBytes - doneBytes) / bytesPerSec);
  const left = Number.isFinite(leftSec) ? `, ${leftSec} s left` : '';
  return `${inMegabytes(doneBytes)} of ${inMegabytes(totalBytes)} MB, ${inMegabytes(bytesPerSec)} MB/s${left}`;
}
