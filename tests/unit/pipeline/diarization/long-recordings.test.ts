import { describe, expect, test } from 'vitest';
import { Breather } from '../../../../pipeline/breather.ts';
import type { LocalSpeaker } from '../../../../pipeline/diarization/local-speakers.ts';
import { linkLocalSpeakers } from '../../../../pipeline/diarization/tracks.ts';
import { findTurns } from '../../../../pipeline/diarization/turns.ts';
import { longestPause } from '../../../fakes/longest-pause.ts';

const { signal } = new AbortController();
const FRAME_SAMPLES = 270;
const FRAMES = 589;
/** Windows of 10 s, a second apart, as on a GPU. */
const STEP_FRAMES = 59;
const HOURS = 3;
const WINDOWS = HOURS * 3600;
const RULES = { thresholds: { onset: 127, offset: 102 }, minTurnFrames: 3, minPauseFrames: 6 };

/** Someone who talks all the time, and someone who says a word every ten seconds. */
const speakers: LocalSpeaker[] = Array.from({ length: WINDOWS }, (_, window): LocalSpeaker[] => {
  const startFrame = window * STEP_FRAMES;
  const word = 10 * STEP_FRAMES * Math.ceil(window / 10) - startFrame;
  const spoken = new Uint8Array(FRAMES).fill(255);
  const said = new Uint8Array(FRAMES).fill(255, word, word + 50);
  const talk = [{ start: startFrame, end: startFrame + FRAMES }];
  return [
    { window, startFrame, activity: spoken, solo: talk, soloFrames: FRAMES },
    { window, startFrame, activity: said, solo: [], soloFrames: 0 },
  ];
}).flat();

describe('a recording of three hours', () => {
  test('is followed in tracks of at most five minutes, while the event loop turns', async () => {
    const { result: tracks, pauseMs } = await longestPause(() =>
      linkLocalSpeakers(speakers, FRAME_SAMPLES, new Breather(signal)),
    );
    expect(tracks.flatMap(({ members }) => members)).toHaveLength(speakers.length);
    const longest = Math.max(
      ...tracks.map(({ members }) => members.at(-1)!.startFrame + FRAMES - members[0]!.startFrame),
    );
    expect(longest * FRAME_SAMPLES).toBeLessThanOrEqual(300 * 16_000);
    const talkers = tracks.filter(({ soloFrames }) => soloFrames > 0);
    expect(talkers.length).toBeLessThan(4 * ((HOURS * 3600) / 300));
    expect(pauseMs).toBeLessThan(50);
  });

  test('has its turns found person by person, while the event loop turns', async () => {
    const people = Array.from({ length: 6 }, (_, person) => ({
      members: speakers.filter(({ window }) => Math.floor(window / 40) % 6 === person),
    }));
    const windows = Array.from({ length: WINDOWS }, (_, window) => ({
      start: window * STEP_FRAMES,
      end: window * STEP_FRAMES + FRAMES,
    }));
    const { result: turns, pauseMs } = await longestPause(() =>
      findTurns(people, windows.at(-1)!.end, { windows, rules: RULES }, new Breather(signal)),
    );
    expect(turns).toHaveLength(6);
    const spoken = turns.flatMap(({ exclusive }) => exclusive);
    const frames = spoken.reduce((sum, { start, end }) => sum + end - start, 0);
    expect(frames).toBe(windows.at(-1)!.end);
    expect(pauseMs).toBeLessThan(50);
  });
});
