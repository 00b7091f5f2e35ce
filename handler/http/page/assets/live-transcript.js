import { turnsOf } from './live-turns.js';
import { textOf } from './page-language.js';

/** @typedef {import('./service.js').Segment} Segment */
/** @typedef {{ id: number, turns: Segment[] } & Segment} Utterance `turns` are what is shown of it */

/** What was said in a live session so far: utterances, whose words only grow. */
export class LiveTranscript {
  /** @type {Utterance[]} */
  #utterances = [];
  language = 'und';

  /** @returns {Segment[]} */
  get segments() {
    return this.#utterances.flatMap(({ turns }) => turns);
  }

  get transcript() {
    return this.segments.map(({ text }) => text).join(' ');
  }

  /** An empty one is begun where the utterance is new. @param {number} id @param {number} start */
  begin(id, start) {
    if (this.#utterances.some((utterance) => utterance.id === id)) return;
    this.#utterances.push(withTurns({ id, start, end: start, text: '', words: [] }));
  }

  /** @param {any} final */
  add(final) {
    this.begin(final.utterance_id, final.start ?? 0);
    const at = this.#utterances.findLastIndex(({ id }) => id === final.utterance_id);
    const utterance = this.#utterances[at];
    if (utterance === undefined) return;
    this.language = final.language ?? this.language;
    this.#utterances[at] = withTurns({
      id: utterance.id,
      start: utterance.text === '' ? (final.start ?? utterance.start) : utterance.start,
      end: final.end ?? utterance.end,
      text: utterance.text + final.text,
      words: [...(utterance.words ?? []), ...final.words],
    });
  }

  /** @param {number} start @param {number} end */
  addGap(start, end) {
    const before = this.#utterances.findLastIndex((utterance) => utterance.start <= start);
    const gap = withTurns({ id: -1, start, end, text: textOf('gap'), words: [] });
    this.#utterances.splice(before + 1, 0, gap);
  }

  /** Without what was begun and never said. */
  close() {
    this.#utterances = this.#utterances.filter(({ text }) => text.trim() !== '');
  }

  /** Where the last turn of an utterance is among the segments. @param {number} id */
  lastTurnOf(id) {
    const at = this.#utterances.findLastIndex((utterance) => utterance.id === id);
    return this.#utterances.slice(0, at + 1).reduce((sum, { turns }) => sum + turns.length, 0) - 1;
  }

  /** The text of an utterance. @param {number} id */
  textOf(id) {
    return this.#utterances.find((utterance) => utterance.id === id)?.text.trim() ?? '';
  }
}

/** @param {{ id: number } & Segment} utterance @returns {Utterance} */
const withTurns = (utterance) => {
  const { id: _, ...segment } = utterance;
  return { ...utterance, turns: turnsOf(segment) };
};
