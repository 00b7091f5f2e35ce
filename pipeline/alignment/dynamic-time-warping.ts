/** Where the cheapest path came from. */
const DIAGONAL = 0;
const SAME_FRAME = 1;
const SAME_TOKEN = 2;

/**
 * First frame of each token on the path of the highest total weight through `weights`
 * `[tokens, frames]`, row-major; the path goes from the first token and frame to the last ones, one
 * token or one frame or both at a time. Ascending, in `[0, frames)`, the first is 0.
 *
 * cost(i, j) = −w(i, j) + min(cost(i−1, j−1), cost(i−1, j), cost(i, j−1)), in float32 as
 * openai-whisper's `dtw_cpu`. Of equal ways it stays with the token if it can, else takes the diagonal
 * (openai-whisper then stays with the token though that costs more; real weights are never equal).
 */
export function tokenStartFrames(
  weights: Float32Array,
  tokens: number,
  frames: number,
): Int32Array {
  const from = cheapestSteps(weights, tokens, frames);
  const starts = new Int32Array(tokens);
  let token = tokens - 1;
  let frame = frames - 1;
  while (token >= 0 && frame >= 0) {
    starts[token] = frame;
    const step = from[token * frames + frame]!;
    if (step !== SAME_TOKEN) token -= 1;
    if (step !== SAME_FRAME) frame -= 1;
  }
  return starts;
}

/** `[tokens, frames]`: the step that leads to each place. */
function cheapestSteps(weights: Float32Array, tokens: number, frames: number): Uint8Array {
  const from = new Uint8Array(tokens * frames);
  let above = new Float32Array(frames + 1).fill(Number.POSITIVE_INFINITY); // One place before frame 0.
  let row = new Float32Array(frames + 1);
  above[0] = 0;
  for (let token = 0; token < tokens; token++) {
    row[0] = Number.POSITIVE_INFINITY;
    const offset = token * frames;
    for (let frame = 0; frame < frames; frame++) {
      const diagonal = above[frame]!;
      const sameFrame = above[frame + 1]!;
      const sameToken = row[frame]!;
      let cost = sameToken;
      let step = SAME_TOKEN;
      if (diagonal < sameToken || sameFrame < sameToken) {
        step = diagonal <= sameFrame ? DIAGONAL : SAME_FRAME;
        cost = Math.min(diagonal, sameFrame);
      }
      row[frame + 1] = cost - weights[offset + frame]!;
      from[offset + frame] = step;
    }
    [above, row] = [row, above];
  }
  return from;
}
