import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { buildGraph, loadGraph } from '../../bench/cold-start-stages.ts';
import { takeProfile, timedRun } from '../../bench/gpu-graphs.ts';
import type { ProfileEvent } from '../../bench/gpu-profile.ts';
import { WHISPER_TINY_EN } from '../../models/load-models.ts';
import { forcedFeeds } from '../../models/whisper/forced-feeds.ts';

type Shapes = NonNullable<ProfileEvent['args']>['input_type_shape'];
const isEmpty = (shapes: Shapes = []): boolean =>
  shapes.some((shape) => Object.values(shape).some((lengths) => lengths.includes(0)));

async function profileOf(tokens: number): Promise<ProfileEvent[]> {
  const { checkpoint, model } = await buildGraph(WHISPER_TINY_EN.folder, 'float32');
  const folder = await mkdtemp(join(tmpdir(), 'stt-empty-stages-'));
  try {
    const prefix = join(folder, 'profile');
    const session = await loadGraph(model, { device: 'cpu', threads: 0 }, prefix);
    await timedRun(session, forcedFeeds(checkpoint, [{ tokens }, { tokens }]));
    const events = await takeProfile(session, prefix);
    await session.release();
    return events;
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** Where all rows end at once, the second and third stage have none. */
test('nothing is reduced that has no elements: CUDA has no mean and no maximum of nothing', async () => {
  const events = await profileOf(3);
  const empty = events.filter(({ args }) => isEmpty(args?.input_type_shape));
  const reductions = empty.filter(
    ({ args }) =>
      /^(?:Reduce|Arg|TopK|CumSum)/.test(args?.op_name ?? '') && !isEmpty(args?.output_type_shape),
  );
  expect(empty.length).toBeGreaterThan(10);
  expect(reductions.map(({ name, args }) => `${args?.op_name} ${name}`)).toEqual([]);
});
