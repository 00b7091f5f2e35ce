/** Log-probabilities of every class in every frame, `[frames, classes]`, row-major. */
export interface EmissionTable {
  readonly logProbs: Float32Array;
  readonly frames: number;
  readonly classes: number;
}

/** Stands in `targets` for any sound; its log-probabilities are `CtcTargets.star`. */
export const STAR = -1;

export interface CtcTargets {
  /** Class of each unit of the text, or `STAR`. */
  readonly targets: Int32Array;
  readonly blankId: number;
  /** 1 for units that may be left out; never two in a row. */
  readonly optional?: Uint8Array;
  /** Log-probability of `STAR` in each frame. */
  readonly star?: Float32Array;
}

/**
 * Which unit of the text each frame says, its index in `targets` or −1 for blank, on the likeliest
 * path of a CTC model through all units in order; undefined where there are too few frames.
 *
 * States are blank, unit 0, blank, unit 1, … blank. A unit may last; a blank between two may be
 * skipped unless they are the same class, and with an optional unit both of its blanks. Sums are in
 * float32 and, of equal paths, the one that stays is taken, as torchaudio's `forced_align` does.
 */
export function ctcViterbi(emissions: EmissionTable, text: CtcTargets): Int32Array | undefined {
  const { targets } = text;
  const { frames } = emissions;
  if (targets.length === 0) return new Int32Array(frames).fill(-1);
  if (frames < 1) return undefined;
  const states = 2 * targets.length + 1;
  const jumps = longestJumps(text);
  const from = new Uint8Array(frames * states);
  const scores = fillTable(emissions, text, jumps, from);
  const last = scores[states - 1]! > scores[states - 2]! ? states - 1 : states - 2;
  if (scores[last] === Number.NEGATIVE_INFINITY) return undefined;
  const path = new Int32Array(frames);
  for (let frame = frames - 1, state = last; frame >= 0; frame--) {
    path[frame] = (state & 1) === 1 ? state >> 1 : -1;
    state -= from[frame * states + state]!;
  }
  return path;
}

/** `from` a state, how far back the one before may lie; bit k stands for k states. */
function longestJumps({ targets, optional }: CtcTargets): Uint8Array {
  const jumps = new Uint8Array(2 * targets.length + 1).fill(0b11);
  const mayFollow = (unit: number, before: number): boolean =>
    targets[unit] !== targets[before] || targets[unit] === STAR;
  for (let unit = 1; unit < targets.length; unit++) {
    const state = 2 * unit + 1;
    if (mayFollow(unit, unit - 1)) jumps[state]! |= 0b100;
    if (optional?.[unit - 1] !== 1) continue;
    jumps[state]! |= 0b1000;
    if (unit >= 2 && mayFollow(unit, unit - 2)) jumps[state]! |= 0b1_0000;
  }
  return jumps;
}

/** Scores of all states in the last frame; `from` `[frames, states]` gets the jump that led there. */
function fillTable(
  { logProbs, frames, classes }: EmissionTable,
  { targets, blankId, star }: CtcTargets,
  jumps: Uint8Array,
  from: Uint8Array,
): Float32Array {
  const states = jumps.length;
  let before = new Float32Array(states).fill(Number.NEGATIVE_INFINITY);
  let now = new Float32Array(states).fill(Number.NEGATIVE_INFINITY);
  const emission = (frame: number, state: number): number => {
    if ((state & 1) === 0) return logProbs[frame * classes + blankId]!;
    const target = targets[state >> 1]!;
    return target === STAR ? star![frame]! : logProbs[frame * classes + target]!;
  };
  now[0] = emission(0, 0);
  now[1] = emission(0, 1);
  if ((jumps[3] ?? 0) & 0b1000) now[3] = emission(0, 3);
  for (let frame = 1; frame < frames; frame++) {
    [before, now] = [now, before];
    const reached = Math.min(states, 4 * frame + 4); // At most four states a frame, from 3 on.
    for (let state = 0; state < reached; state++) {
      const allowed = jumps[state]!;
      let best = before[state]!;
      let jump = 0;
      if (state > 0 && before[state - 1]! > best) {
        best = before[state - 1]!;
        jump = 1;
      }
      for (let back = 2; allowed >> back > 0; back++) {
        if (((allowed >> back) & 1) === 1 && before[state - back]! > best) {
          best = before[state - back]!;
          jump = back;
        }
      }
      now[state] = best + emission(frame, state);
      from[frame * states + state] = jump;
    }
  }
  return now;
}
