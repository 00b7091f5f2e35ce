import { type FrameRange, hysteresis, runsWhere, smoothRuns } from './frame-runs.ts';
import { FULL_ACTIVITY, type LocalSpeaker } from './local-speakers.ts';

export interface TurnRules {
  readonly onsetThreshold: number;
  readonly offsetThreshold: number;
  readonly minTurnFrames: number;
  readonly minPauseFrames: number;
}

export interface PersonTurns {
  readonly turns: readonly FrameRange[];
  /** Without overlap with anyone's. */
  readonly exclusive: readonly FrameRange[];
}

/** No person in a frame. */
const NOBODY = 255;
export const MAX_PEOPLE = NOBODY;

/**
 * When each person speaks, in frames of the recording. A person's probability in a frame is its mean
 * over the windows that hold the frame; hysteresis makes turns of it, so that as many people speak
 * at once as are likely to. Where together they are likely to speak but none is alone, because the
 * windows disagree about who, the likeliest is taken: speech is not lost to doubt about its speaker.
 *
 * Memory: a byte for each frame and person, 0.2 MB an hour each.
 */
export function findTurns(
  people: readonly { readonly members: readonly LocalSpeaker[] }[],
  frames: number,
  { windows, rules }: { readonly windows: readonly FrameRange[]; readonly rules: TurnRules },
): PersonTurns[] {
  const [onset, offset] = [rules.onsetThreshold, rules.offsetThreshold];
  const coverage = new Uint16Array(frames);
  for (const { start, end } of windows) {
    for (let frame = start; frame < Math.min(end, frames); frame++) coverage[frame]! += 1;
  }
  const activities = people.map(({ members }) => meanActivity(members, coverage));
  const masks = activities.map((activity) =>
    hysteresis(activity, onset * FULL_ACTIVITY, offset * FULL_ACTIVITY),
  );
  const likeliest = findLikeliest(activities, masks, frames);
  const together = Float32Array.from({ length: frames }, (_, frame) =>
    activities.reduce((sum, activity) => sum + activity[frame]!, 0),
  );
  const speech = hysteresis(together, onset * FULL_ACTIVITY, offset * FULL_ACTIVITY);
  return masks.map((mask, person) => {
    const isFirst = (frame: number): boolean => speech[frame] === 1 && likeliest[frame] === person;
    const toTurns = (isActive: (frame: number) => boolean): FrameRange[] =>
      smoothRuns(runsWhere(frames, isActive), rules.minPauseFrames, rules.minTurnFrames);
    return {
      turns: toTurns((frame) => mask[frame] === 1 || isFirst(frame)),
      exclusive: runsWhere(frames, isFirst),
    };
  });
}

function meanActivity(members: readonly LocalSpeaker[], coverage: Uint16Array): Uint8Array {
  const sum = new Uint32Array(coverage.length);
  for (const { startFrame, activity } of members) {
    const end = Math.min(activity.length, sum.length - startFrame);
    for (let frame = 0; frame < end; frame++) sum[startFrame + frame]! += activity[frame]!;
  }
  return Uint8Array.from(sum, (value, frame) =>
    Math.min(FULL_ACTIVITY, Math.round(value / Math.max(1, coverage[frame]!))),
  );
}

/** In each frame the person with the highest probability, before all others one who has a turn. */
function findLikeliest(
  activities: readonly Uint8Array[],
  masks: readonly Uint8Array[],
  frames: number,
): Uint8Array {
  const likeliest = new Uint8Array(frames).fill(NOBODY);
  for (let frame = 0; frame < frames; frame++) {
    let best = 0;
    for (const [person, activity] of activities.entries()) {
      const score = activity[frame]! + masks[person]![frame]! * (FULL_ACTIVITY + 1);
      if (score <= best) continue;
      best = score;
      likeliest[frame] = person;
    }
  }
  return likeliest;
}
