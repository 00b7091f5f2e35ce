/** Edits that turn the reference into the hypothesis, as few as possible. */
export interface ErrorCounts {
  readonly substitutions: number;
  readonly deletions: number;
  readonly insertions: number;
  /** Words, or characters, of the reference. */
  readonly referenceLength: number;
}

const NO_ERRORS: ErrorCounts = {
  substitutions: 0,
  deletions: 0,
  insertions: 0,
  referenceLength: 0,
};

/**
 * The normaliser of every error rate here: NFKC, lower case, punctuation and symbols removed.
 * Removed without a gap between two letters or digits for `'`, `.` and `,` (don't → dont,
 * 1,000 → 1000), elsewhere they separate words. Numbers, fillers and spelling stay as they are.
 */
export function normalizeForScoring(text: string): string {
  return text
    .normalize('NFKC')
    .toLowerCase()
    .replace(/(?<=\p{L})['’ʼ](?=\p{L})/gu, '')
    .replace(/(?<=\p{N})[.,](?=\p{N})/gu, '')
    .replace(/[^\p{L}\p{M}\p{N}]+/gu, ' ')
    .trim();
}

/** Word errors after `normalizeForScoring`. */
export function countWordErrors(reference: string, hypothesis: string): ErrorCounts {
  return countEdits(wordsOf(reference), wordsOf(hypothesis));
}

/** Character errors after `normalizeForScoring`, spaces not counted: the measure for Korean, Japanese and Chinese. */
export function countCharacterErrors(reference: string, hypothesis: string): ErrorCounts {
  return countEdits(charactersOf(reference), charactersOf(hypothesis));
}

/** Errors ÷ length of the reference; above 1 is possible, Infinity for words out of nothing. */
export function errorRate(counts: ErrorCounts): number {
  const errorCount = counts.substitutions + counts.deletions + counts.insertions;
  return errorCount === 0 ? 0 : errorCount / counts.referenceLength;
}

/** The counts of several recordings together: long ones weigh more. */
export function sumErrors(counts: readonly ErrorCounts[]): ErrorCounts {
  return counts.reduce(
    (sum, next) => ({
      substitutions: sum.substitutions + next.substitutions,
      deletions: sum.deletions + next.deletions,
      insertions: sum.insertions + next.insertions,
      referenceLength: sum.referenceLength + next.referenceLength,
    }),
    NO_ERRORS,
  );
}

const wordsOf = (text: string): string[] => normalizeForScoring(text).split(' ').filter(Boolean);
const charactersOf = (text: string): string[] => [...normalizeForScoring(text).replaceAll(' ', '')];

/** Last row of the Levenshtein table: the cost and how it is made up, per hypothesis prefix. */
interface EditRow {
  readonly cost: Int32Array;
  readonly substitutions: Int32Array;
  readonly deletions: Int32Array;
}

const emptyRow = (length: number): EditRow => ({
  cost: new Int32Array(length),
  substitutions: new Int32Array(length),
  deletions: new Int32Array(length),
});

/**
 * Levenshtein distance in two rows of memory. Of equally short ways the one with more
 * substitutions counts, as one wrong word is not a missing and a wrong one.
 */
function countEdits(reference: readonly string[], hypothesis: readonly string[]): ErrorCounts {
  let above = emptyRow(hypothesis.length + 1);
  let current = emptyRow(hypothesis.length + 1);
  for (let column = 0; column <= hypothesis.length; column++) above.cost[column] = column;

  for (const expected of reference) {
    current.cost[0] = above.cost[0]! + 1;
    current.substitutions[0] = 0;
    current.deletions[0] = above.deletions[0]! + 1;
    for (let column = 1; column <= hypothesis.length; column++) {
      fillCell(above, current, column, expected === hypothesis[column - 1]);
    }
    [above, current] = [current, above];
  }

  const substitutions = above.substitutions[hypothesis.length]!;
  const deletions = above.deletions[hypothesis.length]!;
  const insertions = above.cost[hypothesis.length]! - substitutions - deletions;
  return { substitutions, deletions, insertions, referenceLength: reference.length };
}

function fillCell(above: EditRow, current: EditRow, column: number, isMatch: boolean): void {
  const substituted = above.cost[column - 1]! + (isMatch ? 0 : 1);
  const deleted = above.cost[column]! + 1;
  const inserted = current.cost[column - 1]! + 1;
  const cost = Math.min(substituted, deleted, inserted);
  const [from, fromColumn] =
    cost === substituted
      ? [above, column - 1]
      : cost === deleted
        ? [above, column]
        : [current, column - 1];
  const isSubstitution = cost === substituted && !isMatch;
  const isDeletion = cost !== substituted && cost === deleted;
  current.cost[column] = cost;
  current.substitutions[column] = from.substitutions[fromColumn]! + (isSubstitution ? 1 : 0);
  current.deletions[column] = from.deletions[fromColumn]! + (isDeletion ? 1 : 0);
}
