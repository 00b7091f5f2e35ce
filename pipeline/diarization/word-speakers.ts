import { msToSamples, type SampleRange } from '../../audio/time.ts';
import type { Word } from '../contracts.ts';
import { endsSentence } from '../sentence-ends.ts';
import type { SpeakerTurn } from './options.ts';

/**
 * What a change of speaker must be worth, in samples of speech on the right side of it. Turns and
 * word times are each off by a tenth of a second, and speakers rarely stop in the middle of a
 * sentence: there it takes two words, behind a sentence or a pause less than the shortest remark.
 */
const CHANGE_COST = {
  insideSentence: msToSamples(500),
  behindClause: msToSamples(250),
  behindSentence: msToSamples(100),
} as const;
const PAUSE_SAMPLES = msToSamples(300);

const ENDS_CLAUSE = /[,;:、，；：]["'”’」』)\]]*$/u;

/** Being near counts only where nobody speaks: less than a sample for an hour. */
const NEARNESS = 1e-8;

/**
 * Who says each word: the speakers whose turns hold most of the words' time, less what their changes
 * cost. Words that nobody's turn holds go with the nearest turn, the earlier of two.
 * @param turns ordered, without overlap, at least one.
 */
export function speakersOfWords(words: readonly Word[], turns: readonly SpeakerTurn[]): string[] {
  if (words.length === 0) return [];
  const near = turnsNear({ start: words[0]!.range.start, end: words.at(-1)!.range.end }, turns);
  const speakers = [...new Set(near.map(({ speaker }) => speaker))];
  if (speakers.length === 1) return words.map(() => speakers[0]!);
  let scores = speakers.map(() => 0);
  const cameFrom = words.map((word, index) => {
    const previous = words[index - 1];
    const cost = previous === undefined ? 0 : changeCost(previous, word);
    const best = indexOfHighest(scores);
    const origins = speakers.map((_, to) => (scores[to]! >= scores[best]! - cost ? to : best));
    scores = origins.map(
      (from, to) =>
        scores[from]! - (from === to ? 0 : cost) + worth(word.range, speakers[to]!, near),
    );
    return origins;
  });
  const path: string[] = [];
  for (let at = indexOfHighest(scores), index = words.length - 1; index >= 0; index--) {
    path.unshift(speakers[at]!);
    at = cameFrom[index]![at]!;
  }
  return path;
}

function changeCost(before: Word, after: Word): number {
  const isPause = after.range.start - before.range.end >= PAUSE_SAMPLES;
  const isEnd = endsSentence({
    word: before.text.trim(),
    next: after.text.trim(),
    isFirst: false,
  });
  if (isPause || isEnd) return CHANGE_COST.behindSentence;
  return ENDS_CLAUSE.test(before.text) ? CHANGE_COST.behindClause : CHANGE_COST.insideSentence;
}

/** Samples that the speaker's turns share with the range; without any, how near they are. */
function worth(range: SampleRange, speaker: string, turns: readonly SpeakerTurn[]): number {
  let [shared, distance] = [0, Infinity];
  for (const { speaker: other, range: turn } of turns) {
    if (other !== speaker) continue;
    const overlap = Math.min(turn.end, range.end) - Math.max(turn.start, range.start);
    shared += Math.max(0, overlap);
    distance = Math.min(distance, Math.max(0, -overlap));
  }
  return shared > 0 ? shared : -NEARNESS * distance;
}

/** The first of equals. */
const indexOfHighest = (values: readonly number[]): number => values.indexOf(Math.max(...values));

/** The turns that reach into the range, and one on either side of it. */
function turnsNear(range: SampleRange, turns: readonly SpeakerTurn[]): readonly SpeakerTurn[] {
  const first = Math.max(0, firstIndex(turns, ({ range: turn }) => turn.end > range.start) - 1);
  const last = firstIndex(turns, ({ range: turn }) => turn.start >= range.end);
  return turns.slice(first, last + 1);
}

/** By bisection: `holds` is false up to some turn and true from there on. */
function firstIndex(turns: readonly SpeakerTurn[], holds: (turn: SpeakerTurn) => boolean): number {
  let [low, high] = [0, turns.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (holds(turns[middle]!)) high = middle;
    else low = middle + 1;
  }
  return low;
}
