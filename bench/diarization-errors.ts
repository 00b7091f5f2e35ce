import type { SampleRange } from '../audio/time.ts';
import { optimalAssignment } from './optimal-assignment.ts';
import type { SpeakerTurn } from './rttm.ts';

/** Speaker time in samples; a moment with two speakers counts twice. */
export interface DiarizationErrors {
  readonly missed: number;
  readonly falseAlarm: number;
  /** Speech given to the wrong speaker under the best one-to-one mapping of names. */
  readonly confusion: number;
  readonly referenceSamples: number;
}

export interface ScoringOptions {
  /** Samples around every reference boundary that are not scored: half of it on each side. */
  readonly collarSamples?: number;
  /** Moments with two or more reference speakers are not scored. */
  readonly skipOverlap?: boolean;
}

/** A stretch in which nobody starts or stops. */
interface Stretch {
  readonly samples: number;
  readonly reference: readonly number[];
  readonly hypothesis: readonly number[];
}

/**
 * Diarization error rate's parts as NIST's md-eval: in each stretch with R reference and H
 * hypothesis speakers, max(0, R − H) is missed, max(0, H − R) false alarm, and
 * min(R, H) − (correct) confusion; names are mapped one to one so that most time is correct.
 */
export function countDiarizationErrors(
  reference: readonly SpeakerTurn[],
  hypothesis: readonly SpeakerTurn[],
  options: ScoringOptions = {},
): DiarizationErrors {
  const stretches = stretchesOf(reference, hypothesis, options);
  const mapping = bestMapping(stretches, namesOf(reference).length, namesOf(hypothesis).length);
  let [missed, falseAlarm, confusion, referenceSamples] = [0, 0, 0, 0];
  for (const { samples, reference: speaking, hypothesis: claimed } of stretches) {
    const correct = speaking.filter((name) => claimed.includes(mapping[name]!)).length;
    missed += samples * Math.max(0, speaking.length - claimed.length);
    falseAlarm += samples * Math.max(0, claimed.length - speaking.length);
    confusion += samples * (Math.min(speaking.length, claimed.length) - correct);
    referenceSamples += samples * speaking.length;
  }
  return { missed, falseAlarm, confusion, referenceSamples };
}

/** Errors ÷ reference speaker time. */
export function diarizationErrorRate(errors: DiarizationErrors): number {
  const wrong = errors.missed + errors.falseAlarm + errors.confusion;
  return wrong === 0 ? 0 : wrong / errors.referenceSamples;
}

export const sumDiarizationErrors = (all: readonly DiarizationErrors[]): DiarizationErrors => ({
  missed: sum(all.map(({ missed }) => missed)),
  falseAlarm: sum(all.map(({ falseAlarm }) => falseAlarm)),
  confusion: sum(all.map(({ confusion }) => confusion)),
  referenceSamples: sum(all.map(({ referenceSamples }) => referenceSamples)),
});

function stretchesOf(
  reference: readonly SpeakerTurn[],
  hypothesis: readonly SpeakerTurn[],
  { collarSamples = 0, skipOverlap = false }: ScoringOptions,
): Stretch[] {
  const unscored = collarSamples > 0 ? collars(reference, collarSamples / 2) : [];
  const ranges = [...reference, ...hypothesis].map(({ range }) => range).concat(unscored);
  const edges = [...new Set(ranges.flatMap(({ start, end }) => [start, end]))];
  edges.sort((a, b) => a - b);
  const referenceNames = namesOf(reference);
  const hypothesisNames = namesOf(hypothesis);
  const stretches: Stretch[] = [];
  for (let edge = 1; edge < edges.length; edge++) {
    const stretch = { start: edges[edge - 1]!, end: edges[edge]! };
    if (unscored.some((range) => covers(range, stretch))) continue;
    const speaking = activeNames(reference, referenceNames, stretch);
    if (skipOverlap && speaking.length > 1) continue;
    stretches.push({
      samples: stretch.end - stretch.start,
      reference: speaking,
      hypothesis: activeNames(hypothesis, hypothesisNames, stretch),
    });
  }
  return stretches;
}

const collars = (turns: readonly SpeakerTurn[], half: number): SampleRange[] =>
  turns.flatMap(({ range }) =>
    [range.start, range.end].map((edge) => ({ start: edge - half, end: edge + half })),
  );

const covers = (range: SampleRange, inner: SampleRange): boolean =>
  range.start <= inner.start && range.end >= inner.end;

const namesOf = (turns: readonly SpeakerTurn[]): string[] => [
  ...new Set(turns.map(({ speaker }) => speaker)),
];

const activeNames = (
  turns: readonly SpeakerTurn[],
  names: readonly string[],
  stretch: SampleRange,
): number[] => [
  ...new Set(
    turns
      .filter(({ range }) => covers(range, stretch))
      .map(({ speaker }) => names.indexOf(speaker)),
  ),
];

/** For each reference speaker the hypothesis speaker that is meant, -1 for none. */
function bestMapping(stretches: readonly Stretch[], rows: number, columns: number): number[] {
  const together = Array.from({ length: rows }, () => new Array<number>(columns).fill(0));
  for (const { samples, reference, hypothesis } of stretches) {
    for (const row of reference) {
      for (const column of hypothesis) together[row]![column]! += samples;
    }
  }
  return optimalAssignment(together);
}

const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0);
