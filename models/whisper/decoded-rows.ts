import type { TensorMap } from '../engine/protocol.ts';
import { DECODE_STAGES } from './decode-graph.ts';

export interface DecodedRow {
  /** Up to end of text, without it. */
  readonly ids: readonly number[];
  readonly logProbs: readonly number[];
  /** Over `ids` and the end of text, if it came. */
  readonly sumLogProb: number;
}

/** Puts each row's tokens together again from the stages that it went through. */
export function decodedRows(outputs: TensorMap, endOfText: number): DecodedRow[] {
  const firstLogProbs = numbers(outputs, 'first_log_prob');
  const rows = numbers(outputs, 'first_token').map((id, row) => ({
    ids: [id],
    logProbs: [firstLogProbs[row]!],
  }));
  for (let stage = 1; stage <= DECODE_STAGES; stage++) {
    const places = numbers(outputs, `rows_${stage}`);
    const logProbs = numbers(outputs, `log_probs_${stage}`);
    for (const [i, id] of numbers(outputs, `tokens_${stage}`).entries()) {
      const row = rows[places[i % places.length]!]!;
      row.ids.push(id);
      row.logProbs.push(logProbs[i]!);
    }
  }
  return rows.map((row) => untilEnd(row, endOfText));
}

/** The beam search's row for each window. */
export function searchedRows(outputs: TensorMap, endOfText: number): DecodedRow[] {
  const ids = numbers(outputs, 'tokens');
  const logProbs = numbers(outputs, 'log_probs');
  const [windows = 0, width = 0] = outputs['tokens']!.dims;
  return Array.from({ length: windows }, (_, window) => {
    const range = [window * width, (window + 1) * width] as const;
    return untilEnd({ ids: ids.slice(...range), logProbs: logProbs.slice(...range) }, endOfText);
  });
}

function untilEnd(
  { ids, logProbs }: Pick<DecodedRow, 'ids' | 'logProbs'>,
  endOfText: number,
): DecodedRow {
  const end = ids.indexOf(endOfText);
  const length = end === -1 ? ids.length : end;
  return {
    ids: ids.slice(0, length),
    logProbs: logProbs.slice(0, length),
    sumLogProb: logProbs.slice(0, length + 1).reduce((sum, logProb) => sum + logProb, 0),
  };
}

const numbers = (outputs: TensorMap, name: string): number[] =>
  Array.from(outputs[name]!.data as ArrayLike<number | bigint>, Number);
