import { MultiBar, Presets, type SingleBar } from 'cli-progress';
import type { DownloadHooks, DownloadProgress } from '../models/hub/options.ts';
import { describeProgress, everyFewSeconds } from '../models/hub/progress-lines.ts';

const LINE_EVERY_MS = 5000;
const MEGABYTE = 1e6;

/** Shows a download on a stream: bars on a terminal, else a line every few seconds. */
export interface DownloadView {
  readonly hooks: DownloadHooks;
  stop(): void;
}

export const createDownloadView = (stream: NodeJS.WriteStream): DownloadView =>
  stream.isTTY ? bars(stream) : lines(stream);

function lines(stream: NodeJS.WriteStream): DownloadView {
  const write = (line: string): void => void stream.write(`${line}\n`);
  return {
    hooks: {
      onProgress: everyFewSeconds(LINE_EVERY_MS, (progress) => write(describeProgress(progress))),
      onRetry: ({ file, waitMs, reason }) =>
        write(`${file}: ${reason}; trying again in ${(waitMs / 1000).toFixed(1)} s`),
      onWait: (file) => write(`${file}: another process is downloading it`),
    },
    stop: () => undefined,
  };
}

function bars(stream: NodeJS.WriteStream): DownloadView {
  const multiBar = new MultiBar(
    { stream, format: '{bar} {percentage} % of {megabytes} MB, {speed} MB/s  {file}  {note}' },
    Presets.shades_classic,
  );
  const barOf = new Map<string, SingleBar>();
  const show = ({ file, doneBytes, totalBytes, bytesPerSec }: DownloadProgress): void => {
    const megabytes = (totalBytes / MEGABYTE).toFixed(1);
    const bar = barOf.get(file) ?? multiBar.create(totalBytes, 0, { file, megabytes, note: '' });
    barOf.set(file, bar);
    bar.update(doneBytes, { speed: (bytesPerSec / MEGABYTE).toFixed(1), note: '' });
  };
  const note = (file: string, text: string): void => void barOf.get(file)?.update({ note: text });
  return {
    hooks: {
      onProgress: show,
      onRetry: ({ file, reason }) => note(file, reason),
      onWait: (file) => note(file, 'another process is downloading it'),
    },
    stop: () => multiBar.stop(),
  };
}
