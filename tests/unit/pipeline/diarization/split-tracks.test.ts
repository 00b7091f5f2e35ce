import { describe, expect, test } from 'vitest';
import {
  type Excerpt,
  splitAtVoiceChanges,
} from '../../../../pipeline/diarization/split-tracks.ts';
import type { Track } from '../../../../pipeline/diarization/tracks.ts';
import { directionOf, voiceSample } from '../../../../pipeline/diarization/voice-sample.ts';

const FRAMES = 100;
const member = (window: number) => ({
  window,
  startFrame: window * 50,
  activity: new Uint8Array(FRAMES).fill(255),
  solo: [{ start: window * 50, end: window * 50 + FRAMES }],
  soloFrames: FRAMES,
});
/** Windows of 100 frames at 0, 50, 100, 150: speech from 0 to 250. */
const TRACK: Track = {
  members: [0, 1, 2, 3].map(member),
  windows: new Set([0, 1, 2, 3]),
  solo: [{ start: 0, end: 250 }],
  soloFrames: 250,
};
const excerptsAt = (anglesDeg: readonly number[]): Excerpt[] =>
  anglesDeg.map((angleDeg, index) => ({
    range: { start: index * 40, end: index * 40 + 40 },
    voice: voiceSample(
      Float32Array.of(Math.cos((angleDeg * Math.PI) / 180), Math.sin((angleDeg * Math.PI) / 180)),
      1,
    ),
  }));
const split = (...anglesDeg: number[]) => splitAtVoiceChanges(TRACK, excerptsAt(anglesDeg), 1.1);

describe('splitting tracks', () => {
  test('leaves one voice one track, also when it is noisy or changes for one excerpt', () => {
    for (const angles of [[10, 12, 8, 11], [0, 30, 5, 25, 10, 20], [5, 5, 80], [5]]) {
      const [only, ...rest] = split(...angles);
      expect(rest).toEqual([]);
      expect(only!.soloFrames).toBe(250);
    }
  });

  test('cuts where the voice changes, between the excerpts', () => {
    const [first, second, ...rest] = split(0, 4, 2, 80, 84, 82);
    expect(rest).toEqual([]);
    expect(first!.solo).toEqual([{ start: 0, end: 120 }]);
    expect(second!.solo).toEqual([{ start: 120, end: 250 }]);
    expect([...first!.windows]).toEqual([0, 1]);
    expect([...second!.windows]).toEqual([2, 3]);
    const active = ({ activity }: { activity: Uint8Array }): number =>
      activity.filter((value) => value > 0).length;
    expect(first!.members.map(active)).toEqual([100, 70, 20, 0]);
    expect(second!.members.map(active)).toEqual([0, 30, 80, 100]);
    expect(Math.acos(directionOf(second!.voice)[0]!) * (180 / Math.PI)).toBeCloseTo(82, 2);
  });

  test('cuts more than once', () => {
    expect(split(0, 4, 80, 84, 160, 164)).toHaveLength(3);
  });
});
