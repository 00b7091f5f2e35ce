import { secToSamples } from '../../audio/time.ts';
import type { DeviceOptions } from '../engine/protocol.ts';

export interface BatchShape {
  readonly rows: number;
  readonly samples: number;
}

export const MAX_ROWS = 8;
/** A window is at most 40 s: eight lengths. */
export const LENGTH_STEP_SAMPLES = secToSamples(5);
const LENGTH_STEPS = 8;

/**
 * The shape that windows of these lengths run in. A GPU gets few of them, since cuDNN chooses an
 * algorithm anew for each: 1, 2, 4 or 8 rows of a multiple of 5 s. A CPU computes nothing in vain.
 */
export function batchShape(
  lengths: readonly number[],
  device: DeviceOptions['device'],
): BatchShape {
  const longest = Math.max(...lengths);
  if (device === 'cpu') return { rows: lengths.length, samples: longest };
  return {
    rows: 2 ** Math.ceil(Math.log2(lengths.length)),
    samples: LENGTH_STEP_SAMPLES * Math.ceil(longest / LENGTH_STEP_SAMPLES),
  };
}

/** Every shape that a GPU will see, the largest first: what memory is needed is then there. */
export const WARM_UP_SHAPES: readonly BatchShape[] = Array.from(
  { length: LENGTH_STEPS },
  (_, step) => LENGTH_STEP_SAMPLES * (LENGTH_STEPS - step),
).flatMap((samples) => [8, 4, 2, 1].map((rows) => ({ rows, samples })));
