import { MultiBar, Presets } from 'cli-progress';
import { TransferBars } from '../handler/local/transfer-bars.ts';
import type { DownloadHooks, DownloadProgress, MissedPin } from '../models/hub/options.ts';
import { describeProgress, everyFewSeconds } from '../models/hub/progress-lines.ts';

const LINE_EVERY_MS = 5000;
const AWAITED = 'another process is busy with it';

/** Shows a download on a stream: bars on a terminal, else a line every few seconds. */
export interface DownloadView {
  readonly hooks: DownloadHooks;
  stop(): void;
}

export const createDownloadView = (stream: NodeJS.WriteStream): DownloadView =>
  stream.isTTY ? bars(stream) : lines(stream);

const pinMissed = ({ model, pinned, used }: MissedPin): string =>
  `${model}: not the pinned ${pinned} but ${used}`;

function lines(stream: NodeJS.WriteStream): DownloadView {
  const write = (line: string): void => void stream.write(`${line}\n`);
  return {
    hooks: {
      onProgress: everyFewSeconds(LINE_EVERY_MS, (progress) => write(describeProgress(progress))),
      onRetry: ({ file, waitMs, reason }) =>
        write(`${file}: ${reason}; trying again in ${(waitMs / 1000).toFixed(1)} s`),
      onWait: (file) => write(`${file}: ${AWAITED}`),
      onQuantize: everyFewSeconds(LINE_EVERY_MS, (progress) =>
        write(`in 8 bits: ${describeProgress(progress)}`),
      ),
      onPinMissed: (miss) => write(pinMissed(miss)),
    },
    stop: () => undefined,
  };
}

function bars(stream: NodeJS.WriteStream): DownloadView {
  const multiBar = new MultiBar({ stream, forceRedraw: true }, Presets.shades_classic);
  const transfers = new TransferBars(multiBar);
  const inEightBits = ({ file, ...progress }: DownloadProgress): void =>
    transfers.show({ ...progress, file: `${file} in 8 bits` });
  return {
    hooks: {
      onProgress: (progress) => transfers.show(progress),
      onRetry: ({ file, reason }) => transfers.note(file, reason),
      onWait: (file) => transfers.note(file, AWAITED),
      onQuantize: inEightBits,
      onPinMissed: (miss) => multiBar.log(`${pinMissed(miss)}\n`),
    },
    stop: () => {
      multiBar.update(); // else lines that wait for the next redraw were lost
      multiBar.stop();
    },
  };
}
