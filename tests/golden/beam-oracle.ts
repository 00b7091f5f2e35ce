import type { SpecialTokens } from '../../models/whisper/special-tokens.ts';

/** Scores of the next token `[vocabulary]` for each of some sequences, prompts not included. */
export type NextScores = (sequences: readonly (readonly number[])[]) => Promise<Float32Array[]>;

export interface OracleRules {
  readonly tokens: SpecialTokens;
  readonly suppress: readonly number[];
  readonly suppressFirst: readonly number[];
  readonly timestamps: boolean;
  readonly maxInitialTimestamp: number;
  readonly repetitionPenalty: number;
  readonly noRepeatNgramSize: number;
}

export interface OracleSearch {
  readonly beams: number;
  readonly patience: number;
  readonly lengthPenalty: number | null;
  readonly maxTokens: number;
}

interface Hypothesis {
  readonly ids: readonly number[];
  readonly logProbs: readonly number[];
  readonly sum: number;
}

const sumOf = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0);

/** Log-probabilities of the next token after all rules, −∞ where it is not allowed. */
function ruledLogProbs(
  raw: Float32Array,
  said: readonly number[],
  rules: OracleRules,
): Float64Array {
  const { tokens } = rules;
  const scores = Float64Array.from(raw);
  const forbid = (from: number, to = from + 1): void => void scores.fill(-Infinity, from, to);
  for (const id of new Set(said.filter((id) => id < tokens.timestampsStart))) {
    const score = scores[id]!;
    scores[id] = score < 0 ? score * rules.repetitionPenalty : score / rules.repetitionPenalty;
  }
  const n = rules.noRepeatNgramSize;
  const kinds = said.map((id) => Math.min(id, tokens.timestampsStart));
  for (let start = 0; n > 0 && start + n <= kinds.length; start++) {
    const ngram = kinds.slice(start, start + n);
    const last = ngram.pop()!;
    const tail = kinds.slice(kinds.length - n + 1);
    if (last < tokens.timestampsStart && ngram.every((id, i) => id === tail[i])) forbid(last);
  }
  for (const id of rules.suppress) forbid(id);
  if (said.length === 0) for (const id of rules.suppressFirst) forbid(id);
  if (rules.timestamps) timestampRules(scores, said, rules, forbid);
  return logSoftmax(scores);
}

function timestampRules(
  scores: Float64Array,
  said: readonly number[],
  { tokens: { timestampsStart: start, endOfText }, maxInitialTimestamp }: OracleRules,
  forbid: (from: number, to?: number) => void,
): void {
  const isTimestamp = (id: number | undefined): boolean => id !== undefined && id >= start;
  const lastIs = isTimestamp(said.at(-1));
  const previousIs = said.length < 2 || isTimestamp(said.at(-2));
  if (lastIs && previousIs) forbid(start, scores.length);
  else if (lastIs) forbid(0, endOfText);
  const latest = said.findLast(isTimestamp);
  if (latest !== undefined) forbid(start, latest + (lastIs && !previousIs ? 0 : 1));
  if (said.length === 0) {
    forbid(0, start);
    forbid(start + maxInitialTimestamp + 1, scores.length);
  }
  const logProbs = logSoftmax(scores);
  const times = Math.log(sumOf([...logProbs.subarray(start)].map(Math.exp)));
  if (times > logProbs.subarray(0, start).reduce((a, b) => Math.max(a, b))) forbid(0, start);
}

function logSoftmax(scores: Float64Array): Float64Array {
  const most = scores.reduce((a, b) => Math.max(a, b));
  let mass = 0;
  for (const score of scores) mass += Math.exp(score - most);
  return scores.map((score) => score - most - Math.log(mass));
}

/**
 * Beam search written down from its definition, one window, the continuations of all beams in one
 * sorted list: slow and obvious.
 */
export async function beamSearch(
  next: NextScores,
  rules: OracleRules,
  search: OracleSearch,
): Promise<Hypothesis> {
  const { endOfText } = rules.tokens;
  const enough = Math.round(search.beams * search.patience);
  const finished: Hypothesis[] = [];
  let beams: Hypothesis[] = [{ ids: [], logProbs: [], sum: 0 }];
  for (let step = 0; step < search.maxTokens && finished.length < enough; step++) {
    const scores = await next(beams.map(({ ids }) => ids));
    const all = beams.flatMap((beam, index) => {
      const logProbs = ruledLogProbs(scores[index]!, beam.ids, rules);
      // Of one beam, no more than this can matter.
      const least = logProbs.toSorted().at(-1 - search.beams)!;
      return [...logProbs.keys()]
        .filter((id) => logProbs[id]! >= least && logProbs[id]! > -1e9)
        .map((id) => ({ beam, id, logProb: logProbs[id]!, sum: beam.sum + logProbs[id]! }));
    });
    all.sort((a, b) => b.sum - a.sum);
    const live: Hypothesis[] = [];
    for (const { beam, id, logProb, sum } of all) {
      if (live.length === search.beams) break;
      const logProbs = [...beam.logProbs, logProb];
      if (id === endOfText) {
        if (finished.length < enough) finished.push({ ids: beam.ids, logProbs, sum });
      } else live.push({ ids: [...beam.ids, id], logProbs, sum });
    }
    beams = live;
  }
  if (finished.length < search.beams) {
    finished.push(...beams.slice(0, search.beams - finished.length));
  }
  const rank = ({ ids, sum }: Hypothesis): number =>
    sum /
    (search.lengthPenalty === null
      ? Math.max(1, ids.length)
      : ((5 + ids.length) / 6) ** search.lengthPenalty);
  return finished.reduce((best, other) => (rank(other) > rank(best) ? other : best));
}
