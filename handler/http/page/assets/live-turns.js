/** @typedef {import('./service.js').Segment} Segment */
/** @typedef {import('./service.js').Word} Word */

/**
 * An utterance as one segment for each turn. Words without a speaker are of whoever spoke before
 * them; the first words, heard for too short to be anyone's, of whoever speaks then.
 * @param {Segment} utterance
 * @returns {Segment[]}
 */
export function turnsOf(utterance) {
  const { start, end, text, words = [] } = utterance;
  const starts = startsOf(words);
  if (starts.length === 0) return [{ ...utterance, text: text.trim() }];
  const cuts = placesOf(text, words);
  return starts.map(({ at, speaker }, index) => {
    const next = starts[index + 1]?.at;
    const from = at === 0 ? 0 : cuts[at];
    return {
      start: at === 0 ? start : (words[at]?.start ?? start),
      end: next === undefined ? end : (words[next - 1]?.end ?? end),
      text: text.slice(from, next === undefined ? text.length : cuts[next]).trim(),
      speaker,
      words: words.slice(at, next).map((word) => ({ ...word, speaker })),
    };
  });
}

/** Which words begin a turn, and whose. @param {Word[]} words */
function startsOf(words) {
  /** @type {{ at: number, speaker: string }[]} */
  const starts = [];
  for (const [at, { speaker }] of words.entries()) {
    const before = starts.at(-1);
    if (speaker === undefined || speaker === before?.speaker) continue;
    starts.push({ at: before === undefined ? 0 : at, speaker });
  }
  return starts;
}

/** Where each word is in the text. @param {string} text @param {Word[]} words */
function placesOf(text, words) {
  let behind = 0;
  return words.map(({ word }) => {
    const found = text.indexOf(word, behind);
    const place = found < 0 ? behind : found;
    behind = place + (found < 0 ? 0 : word.length);
    return place;
  });
}
