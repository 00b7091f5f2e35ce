/** Silence is never settled: what is older than this was no speech. */
const MAX_KEPT_SEC = 30;

/** @typedef {{ seq: number, startSec: number, bytes: Int16Array<ArrayBuffer> }} Piece */

/** The audio of a live session that may have to be sent again, to it or to the one that takes its place. */
export class KeptAudio {
  #rateHz;
  /** @type {Piece[]} */
  #pieces = [];
  #lastSeq = 0;
  #confirmedSeq = 0;
  #heardSec = 0;
  #settledSec = 0;

  /** @param {number} rateHz */
  constructor(rateHz) {
    this.#rateHz = rateHz;
  }

  /** @param {Int16Array<ArrayBuffer>} bytes */
  add(bytes) {
    this.#lastSeq += 1;
    this.#pieces.push({ seq: this.#lastSeq, startSec: this.#heardSec, bytes });
    this.#heardSec += bytes.length / this.#rateHz;
  }

  /** The service has the pieces up to `seq`. @param {number} seq */
  confirm(seq) {
    this.#confirmedSeq = seq;
    const neededSec = Math.max(this.#settledSec, this.#heardSec - MAX_KEPT_SEC);
    this.#pieces = this.#pieces.filter((piece) => piece.seq > seq || piece.startSec >= neededSec);
  }

  /** The text up to here is final. @param {number} sec */
  settle(sec) {
    this.#settledSec = Math.max(this.#settledSec, sec);
  }

  /** What the service does not have. @param {number} lastSeq */
  behind(lastSeq) {
    return this.#pieces.filter(({ seq }) => seq > lastSeq).map(({ bytes }) => bytes);
  }

  /** A session that knows nothing takes over what is not final. Returns where it begins. */
  renew() {
    this.#pieces = this.#pieces
      .filter(({ seq, startSec }) => seq > this.#confirmedSeq || startSec >= this.#settledSec)
      .map((piece, index) => ({ ...piece, seq: index + 1 }));
    this.#lastSeq = this.#pieces.length;
    this.#confirmedSeq = 0;
    return this.#pieces[0]?.startSec ?? this.#heardSec;
  }
}
