import type { DecodingRules } from './contracts.ts';

/** Rows that one decode of a window takes: beams of a search, or sampled texts. */
export const rowsOf = ({ beamSize = 1, bestOf = 1 }: DecodingRules, temperature: number): number =>
  temperature > 0 ? bestOf : beamSize;

/** Rows that a window takes when it fails at every temperature: the most that a job's options may cost. */
export const mostRowsOf = (rules: DecodingRules, temperatures: readonly number[]): number =>
  temperatures.reduce((sum, temperature) => sum + rowsOf(rules, temperature), 0);
