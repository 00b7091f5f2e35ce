import type { MultiBar, SingleBar } from 'cli-progress';

const MEGABYTE = 1e6;
const FORMAT = '{bar} {percentage} % of {megabytes} MB{speed}  {file}{note}';

/** How far a file is that is being fetched or written. */
export interface Transfer {
  readonly file: string;
  readonly doneBytes: number;
  readonly totalBytes: number;
  /** 0 where it is not known. */
  readonly bytesPerSec: number;
}

/** A bar for each file of a transfer, among the other bars of a terminal. */
export class TransferBars {
  readonly #bars: MultiBar;
  readonly #barOf = new Map<string, SingleBar>();

  constructor(bars: MultiBar) {
    this.#bars = bars;
  }

  show({ file, doneBytes, totalBytes, bytesPerSec }: Transfer): void {
    const megabytes = (totalBytes / MEGABYTE).toFixed(1);
    const payload = { file, megabytes, speed: '', note: '' };
    const bar =
      this.#barOf.get(file) ?? this.#bars.create(totalBytes, 0, payload, { format: FORMAT });
    this.#barOf.set(file, bar);
    const speed = bytesPerSec > 0 ? `, ${(bytesPerSec / MEGABYTE).toFixed(1)} MB/s` : '';
    bar.update(doneBytes, { speed, note: '' });
  }

  /** Says why a file makes no progress, until it does; on a line where the file has no bar yet. */
  note(file: string, text: string): void {
    const bar = this.#barOf.get(file);
    if (bar === undefined) this.#bars.log(`${file}: ${text}\n`);
    else bar.update({ note: `  ${text}` });
  }
}
