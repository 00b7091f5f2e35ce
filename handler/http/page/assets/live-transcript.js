import { textOf } from './page-language.js';

/** @typedef {import('./service.js').Segment} Segment */
/** @typedef {{ id: number } & Segment} Utterance */

/** What was said in a live session so far: an utterance is a segment, its words only grow. */
export class LiveTranscript {
  /** @type {Utterance[]} */
  #utterances = [];
  language = 'und';

  /** @returns {Segment[]} */
  get segments() {
    return this.#utterances.map(({ id: _, text, ...segment }) => ({
      ...segment,
      text: text.trim(),
    }));
  }

  get transcript() {
    return this.segments.map(({ text }) => text).join(' ');
  }

  /** An empty one is begun where the utterance is new. @param {number} id @param {number} start */
  begin(id, start) {
    if (this.indexOf(id) >= 0) return;
    this.#utterances.push({ id, start, end: start, text: '', words: [] });
  }

  /** @param {any} final */
  add(final) {
    this.begin(final.utterance_id, final.start ?? 0);
    const at = this.indexOf(final.utterance_id);
    const utterance = this.#utterances[at];
    if (utterance === undefined) return;
    this.language = final.language ?? this.language;
    this.#utterances[at] = {
      ...utterance,
      start: utterance.text === '' ? (final.start ?? utterance.start) : utterance.start,
      end: final.end ?? utterance.end,
      text: utterance.text + final.text,
      words: [...(utterance.words ?? []), ...final.words],
    };
  }

  /** @param {number} start @param {number} end */
  addGap(start, end) {
    const before = this.#utterances.findLastIndex((utterance) => utterance.start <= start);
    const gap = { id: -1, start, end, text: textOf('gap'), words: [] };
    this.#utterances.splice(before + 1, 0, gap);
  }

  /** Without what was begun and never said. */
  close() {
    this.#utterances = this.#utterances.filter(({ text }) => text.trim() !== '');
  }

  /** Where an utterance is among the segments. @param {number} id */
  indexOf(id) {
    return this.#utterances.findLastIndex((utterance) => utterance.id === id);
  }

  /** The text of an utterance. @param {number} id */
  textOf(id) {
    return this.#utterances.find((utterance) => utterance.id === id)?.text.trim() ?? '';
  }
}
