import { textOf } from './page-language.js';

/** @typedef {import('./service.js').Segment} Segment */

const COLOURS = 8;

/** Who speaks how long, in order of appearance. @param {Segment[]} segments */
export function speakersOf(segments) {
  /** @type {Map<string, number>} */
  const seconds = new Map();
  for (const { speaker, start, end } of segments) {
    if (speaker !== undefined) seconds.set(speaker, (seconds.get(speaker) ?? 0) + end - start);
  }
  return [...seconds].map(([id, sec], index) => ({ id, sec, colour: index % COLOURS, index }));
}

/** `SPEAKER_00` is the first speaker; names that were given stay. @param {string} id */
export function speakerName(id) {
  const number = /^SPEAKER_(\d+)$/.exec(id)?.[1];
  return number === undefined ? id : textOf('speaker', { number: Number(number) + 1 });
}
