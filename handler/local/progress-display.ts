import { MultiBar, Presets } from 'cli-progress';
import { type Transfer, TransferBars } from './transfer-bars.ts';

/** What of a stream the command line needs; `process.stdout` and `process.stderr` are such. */
export interface OutputStream extends NodeJS.WritableStream {
  readonly isTTY?: boolean;
}

/** Shows how far all jobs together are, and lets other lines through without tearing. */
export interface ProgressDisplay {
  update(jobIndex: number, fraction: number): void;
  /** A model's file on its way; undefined where there is no terminal, and lines must do. */
  readonly transfer: ((transfer: Transfer) => void) | undefined;
  /** A line with its line break; also the destination of a logger. */
  write(line: string): void;
  /** To be called before something else writes to the same terminal, whole lines only. */
  makeRoom(): void;
  close(): void;
}

/** A bar on a terminal, a few lines anywhere else. */
export const createProgressDisplay = (stream: OutputStream, jobCount: number): ProgressDisplay =>
  stream.isTTY ? new BarDisplay(stream, jobCount) : new LineDisplay(stream, jobCount);

/** Mean over the jobs; a job's fraction never falls. */
class TotalProgress {
  readonly #fractions: number[];

  constructor(jobCount: number) {
    this.#fractions = new Array<number>(jobCount).fill(0);
  }

  update(jobIndex: number, fraction: number): number {
    this.#fractions[jobIndex] = Math.max(this.#fractions[jobIndex] ?? 0, fraction);
    const sum = this.#fractions.reduce((total, part) => total + part, 0);
    return Math.floor((100 * sum) / this.#fractions.length);
  }
}

const CLEAR_LINE = '\r\u001b[K';

class BarDisplay implements ProgressDisplay {
  readonly #stream: OutputStream;
  readonly #total: TotalProgress;
  readonly #bars: MultiBar;
  readonly #bar: ReturnType<MultiBar['create']>;
  readonly transfer: (transfer: Transfer) => void;

  constructor(stream: OutputStream, jobCount: number) {
    this.#stream = stream;
    this.#total = new TotalProgress(jobCount);
    const files = jobCount === 1 ? '' : ` of ${jobCount} jobs`;
    this.#bars = new MultiBar(
      {
        stream,
        format: `{bar} {percentage} %${files} · {duration_formatted}`,
        // Without it the bar would not come back after a line was written.
        forceRedraw: true,
        // Its own handlers would keep the process from ending on a signal.
        gracefulExit: false,
      },
      Presets.shades_classic,
    );
    this.#bar = this.#bars.create(100, 0);
    const transfers = new TransferBars(this.#bars);
    this.transfer = (transfer) => transfers.show(transfer);
  }

  update(jobIndex: number, fraction: number): void {
    this.#bar.update(this.#total.update(jobIndex, fraction));
  }

  write(line: string): void {
    this.#bars.log(line);
  }

  makeRoom(): void {
    this.#stream.write(CLEAR_LINE);
  }

  close(): void {
    // Writes the lines that wait for the next redraw; stop() alone would lose them.
    this.#bars.update();
    this.#bars.stop();
  }
}

const PERCENT_BETWEEN_LINES = 25;

class LineDisplay implements ProgressDisplay {
  readonly #total: TotalProgress;
  readonly #stream: OutputStream;
  readonly transfer = undefined;
  #shownPercent = 0;

  constructor(stream: OutputStream, jobCount: number) {
    this.#total = new TotalProgress(jobCount);
    this.#stream = stream;
  }

  update(jobIndex: number, fraction: number): void {
    const percent = this.#total.update(jobIndex, fraction);
    const step = percent - (percent % PERCENT_BETWEEN_LINES);
    if (step <= this.#shownPercent) return;
    this.#shownPercent = step;
    this.#stream.write(`${step} % done\n`);
  }

  write(line: string): void {
    this.#stream.write(line);
  }

  makeRoom(): void {}

  close(): void {}
}
