/** More utterances than a session has, so that those of the next have other names. */
const UTTERANCES = 1_000_000;

/** Live sessions that follow one another, told as if there had been one all the time. */
export class JoinedSessions {
  #before = 0;
  #startSec = 0;
  /** Names by session and label: nobody knows whether the first of two sessions is the same person. @type {Map<string, string>} */
  #speakers = new Map();

  /** How many there were before this one. */
  get before() {
    return this.#before;
  }

  /** Another session takes over. @param {number} startSec where it begins */
  begin(startSec) {
    this.#before += 1;
    this.#startSec = startSec;
  }

  /** When something was said, of all that was heard. @param {number} sec of this session */
  timeOf(sec) {
    return this.#startSec + sec;
  }

  /** What a session tells, by the times and names of all of them. @param {any} event */
  placed(event) {
    const { utterance_id, words } = event;
    return {
      ...this.#timed(event),
      ...(utterance_id !== undefined && { utterance_id: utterance_id + this.#before * UTTERANCES }),
      ...(words && { words: words.map((/** @type {any} */ word) => this.#word(word)) }),
      // It would be of the last session alone.
      ...(this.#before > 0 &&
        event.type === 'transcript_refined' && { type: 'transcript_refined_in_part' }),
    };
  }

  /** @param {any} timed */
  #timed(timed) {
    return {
      ...timed,
      ...(typeof timed.start === 'number' && { start: this.timeOf(timed.start) }),
      ...(typeof timed.end === 'number' && { end: this.timeOf(timed.end) }),
    };
  }

  /** @param {any} word */
  #word(word) {
    const { speaker } = word;
    return { ...this.#timed(word), ...(speaker && { speaker: this.#nameOf(speaker) }) };
  }

  /** @param {string} label */
  #nameOf(label) {
    const key = `${this.#before} ${label}`;
    const name = this.#speakers.get(key) ?? nameAt(this.#speakers.size);
    this.#speakers.set(key, name);
    return name;
  }
}

/** As the service names them. @param {number} index */
const nameAt = (index) => `SPEAKER_${String(index).padStart(2, '0')}`;
