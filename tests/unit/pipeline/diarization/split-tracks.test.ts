import { describe, expect, test } from 'vitest';
import { directionOf } from '../../../../pipeline/diarization/centroid.ts';
import { embeddingWindowOf } from '../../../../pipeline/diarization/embedding-window.ts';
import type { Activity } from '../../../../pipeline/diarization/local-speakers.ts';
import {
  activityIn,
  rangeOf,
  splitAtChangePoints,
} from '../../../../pipeline/diarization/split-tracks.ts';
import type { EmbeddedTrack, Track } from '../../../../pipeline/diarization/tracks.ts';

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
const heardAt = (track: Track, anglesDeg: readonly number[]): EmbeddedTrack => ({
  track,
  embeddingWindows: anglesDeg.map((angleDeg, index) => {
    const angle = (angleDeg * Math.PI) / 180;
    const embedding = Float32Array.of(Math.cos(angle), Math.sin(angle));
    return embeddingWindowOf(embedding, { start: index * 40, end: index * 40 + 40 }, 1);
  }),
});
const split = (...anglesDeg: number[]) => splitAtChangePoints(heardAt(TRACK, anglesDeg), 1.1);

describe('splitting tracks', () => {
  test('leaves one voice one track, also when it is noisy or changes for one scatter', () => {
    for (const angles of [[10, 12, 8, 11], [0, 30, 5, 25, 10, 20], [5, 5, 80], [5]]) {
      const [only, ...rest] = split(...angles);
      expect(rest).toEqual([]);
      expect(only!.soloFrames).toBe(250);
    }
  });

  test('cuts where the voice changes, between the embeddingWindows', () => {
    const [first, second, ...rest] = split(0, 4, 2, 80, 84, 82);
    expect(rest).toEqual([]);
    expect([first!.soloFrames, second!.soloFrames]).toEqual([120, 130]);
    expect([...first!.windows]).toEqual([0, 1]);
    expect([...second!.windows]).toEqual([2, 3]);
    expect(Math.acos(directionOf(second!.centroid)[0]!) * (180 / Math.PI)).toBeCloseTo(82, 0);
    const ranges = [first!, second!].map((part) => rangeOf(part.embedded, part));
    expect(ranges).toEqual([
      { start: 0, end: 120 },
      { start: 120, end: Infinity },
    ]);
  });

  test('cuts more than once', () => {
    expect(split(0, 4, 80, 84, 160, 164)).toHaveLength(3);
  });

  test('takes of a track what lies in a range, without copying what was embedded', () => {
    const first = activityIn(TRACK, { start: 0, end: 120 });
    const second = activityIn(TRACK, { start: 120, end: Infinity });
    const placesOf = (embedded: readonly Activity[]) =>
      embedded.map(({ startFrame, activity }) => [startFrame, activity.length]);
    expect(placesOf(first)).toEqual([
      [0, 100],
      [50, 70],
      [100, 20],
    ]);
    expect(placesOf(second)).toEqual([
      [120, 30],
      [120, 80],
      [150, 100],
    ]);
    expect(second[0]!.activity.buffer).toBe(TRACK.members[1]!.activity.buffer);
  });

  test('cut into many parts, a long track holds each of its windows about once', () => {
    const windows = Array.from({ length: 2000 }, (_, index) => index);
    const long: Track = {
      members: windows.map(member),
      windows: new Set(windows),
      solo: [{ start: 0, end: 50 * 2001 }],
      soloFrames: 50 * 2001,
    };
    const angles = Array.from({ length: 2500 }, (_, index) => (Math.floor(index / 5) % 2) * 90);
    const embedded = heardAt(long, angles);
    const parts = splitAtChangePoints(embedded, 1.1);
    expect(parts.length).toBe(500);
    const members = parts.map((part) => activityIn(long, rangeOf(embedded, part)).length);
    expect(members.reduce((sum, count) => sum + count, 0)).toBeLessThan(3 * windows.length);
  });
});
