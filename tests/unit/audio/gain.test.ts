import { expect, test } from 'vitest';
import { LiveGain, levelled } from '../../../audio/gain.ts';
import { SAMPLE_RATE_HZ } from '../../../audio/time.ts';

const FRAME_SAMPLES = 512;
const amplitude = (db: number): number => 10 ** (db / 20);

let state = 1;
/** Noise of a level, the same at each run. */
const noise = (sec: number, db: number): Float32Array =>
  Float32Array.from({ length: sec * SAMPLE_RATE_HZ }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return amplitude(db) * Math.sqrt(3) * (state / 2 ** 31 - 1);
  });

/** Syllables of a level, four a second, with the noise of a room between them. */
function speech(sec: number, db: number, roomDb = -120): Float32Array {
  const room = noise(sec, roomDb);
  const voice = noise(sec, db);
  return room.map((sample, i) =>
    (i / SAMPLE_RATE_HZ) % 0.25 < 0.15 ? sample + voice[i]! : sample,
  );
}

const joined = (...parts: readonly Float32Array[]): Float32Array =>
  Float32Array.from(parts.flatMap((part) => [...part]));

/** Bit for bit; element by element it would take a second. */
const areEqual = (one: Float32Array, other: Float32Array): boolean =>
  one.length === other.length &&
  Buffer.compare(
    new Uint8Array(one.buffer, one.byteOffset, one.byteLength),
    new Uint8Array(other.buffer, other.byteOffset, other.byteLength),
  ) === 0;

/** Level of a second of a waveform. */
function levelDb(waveform: Float32Array, second: number, length = 1): number {
  const [start, end] = [second * SAMPLE_RATE_HZ, (second + length) * SAMPLE_RATE_HZ];
  const power = waveform.subarray(start, end).reduce((sum, sample) => sum + sample ** 2, 0);
  return 10 * Math.log10(power / (end - start));
}

/** As a session hears it. */
function heardLive(waveform: Float32Array): Float32Array {
  const gain = new LiveGain(FRAME_SAMPLES);
  const whole = waveform.length - (waveform.length % FRAME_SAMPLES);
  return joined(
    gain.push(waveform.subarray(0, whole / 2 - ((whole / 2) % FRAME_SAMPLES))),
    gain.push(waveform.subarray(whole / 2 - ((whole / 2) % FRAME_SAMPLES), whole)),
  );
}

test('ordinary and loud speech stays as it is, to the last bit', () => {
  for (const db of [-10, -20, -28]) {
    const spoken = speech(6, db);
    expect(areEqual(levelled(spoken), spoken)).toBe(true);
    expect(areEqual(heardLive(spoken), spoken.subarray(0, heardLive(spoken).length))).toBe(true);
  }
});

test('quiet speech is brought to the level of ordinary speech, whatever its own', () => {
  for (const db of [-40, -50, -60, -70, -80]) {
    const spoken = speech(6, db, -150);
    for (const raised of [levelled(spoken), heardLive(spoken)]) {
      expect(levelDb(raised, 3)).toBeGreaterThan(-38);
      expect(levelDb(raised, 3)).toBeLessThan(-26);
    }
  }
});

test('a knock does not decide how loud the speech around it is, nor does it become louder', () => {
  const spoken = speech(6, -60);
  spoken.set(noise(0.15, -6), 3 * SAMPLE_RATE_HZ);
  for (const raised of [levelled(spoken), heardLive(spoken)]) {
    expect(levelDb(raised, 4)).toBeGreaterThan(-38);
    expect(Math.max(...raised)).toBeLessThanOrEqual(1);
  }
});

test('a loud speaker does not hide the quiet one who answers', () => {
  const call = joined(speech(4, -20), speech(4, -55), speech(4, -20), speech(4, -55));
  for (const raised of [levelled(call), heardLive(call)]) {
    for (const second of [6, 14]) expect(levelDb(raised, second)).toBeGreaterThan(-38);
    for (const second of [2, 10])
      expect(levelDb(raised, second)).toBeCloseTo(levelDb(call, second), 1);
  }
});

test('noise without speech is not raised to the level of speech', () => {
  for (const db of [-45, -60, -75, -90, -100]) {
    const room = noise(6, db);
    const expected = Math.max(db, -50) + 1.5;
    expect(levelDb(levelled(room), 3)).toBeLessThan(expected);
    expect(levelDb(heardLive(room), 3)).toBeLessThan(expected);
  }
});

test('ordinary speech that begins behind silence, or is but a syllable, is not torn', () => {
  const silence = new Float32Array(3 * SAMPLE_RATE_HZ);
  for (const sec of [0.3, 3]) {
    const begun = joined(silence, speech(sec, -25), silence);
    for (const raised of [levelled(begun), heardLive(begun)]) {
      expect(levelDb(raised, 3, 0.15)).toBeLessThan(-18);
    }
  }
});

test('a gap or a mute is not taken for the noise of the room beside it', () => {
  const gap = new Float32Array(6 * SAMPLE_RATE_HZ);
  for (const db of [-45, -60]) {
    const room = joined(noise(6, db), gap, noise(6, db));
    for (const raised of [levelled(room), heardLive(room)]) {
      for (const second of [4, 14]) {
        expect(levelDb(raised, second)).toBeLessThan(Math.max(db, -50) + 1.5);
      }
    }
  }
});

test('quiet speech is raised beside a gap, and where silence is cut out between words', () => {
  const gap = new Float32Array(6 * SAMPLE_RATE_HZ);
  const spoken = joined(gap, speech(6, -60, -150), gap, speech(6, -60, -80));
  for (const raised of [levelled(spoken), heardLive(spoken)]) {
    for (const second of [8, 20]) expect(levelDb(raised, second)).toBeGreaterThan(-38);
  }
});

test('speech is raised as far as the noise of its room allows', () => {
  const raised = levelled(speech(6, -60, -75));
  expect(levelDb(raised, 3)).toBeGreaterThan(-42);
  expect(levelDb(raised, 3)).toBeLessThan(-34);
});

test('silence and hum stay what they are', () => {
  expect(
    areEqual(levelled(new Float32Array(SAMPLE_RATE_HZ)), new Float32Array(SAMPLE_RATE_HZ)),
  ).toBe(true);
  expect(areEqual(levelled(new Float32Array(0)), new Float32Array(0))).toBe(true);
  const hum = Float32Array.from(
    { length: 6 * SAMPLE_RATE_HZ },
    (_, i) => 0.1 * Math.sin((2 * Math.PI * 50 * i) / SAMPLE_RATE_HZ),
  );
  expect(levelDb(levelled(hum), 3)).toBeLessThan(-20);
});

test('hum does not decide how loud speech is', () => {
  const spoken = speech(6, -60).map(
    (sample, i) => sample + 0.003 * Math.sin((2 * Math.PI * 50 * i) / SAMPLE_RATE_HZ),
  );
  const gain = amplitude(levelDb(levelled(spoken), 3) - levelDb(spoken, 3));
  expect(gain).toBeGreaterThan(4);
});

test('what lies above full scale on the whole is brought below it, and a peak alone is kept', () => {
  const loud = levelled(speech(6, 12));
  expect(levelDb(loud, 3)).toBeLessThan(-5);
  const peaked = speech(6, -20);
  peaked[3 * SAMPLE_RATE_HZ] = 1.5;
  expect(areEqual(levelled(peaked), peaked)).toBe(true);
});

test('a session hears speech that begins at once, and goes on as if it had not been cut into pieces', () => {
  const spoken = speech(6, -60);
  expect(levelDb(heardLive(spoken), 0.25, 0.5)).toBeGreaterThan(-45);
  const whole = spoken.subarray(0, 180 * FRAME_SAMPLES);
  expect(areEqual(heardLive(whole), new LiveGain(FRAME_SAMPLES).push(whole))).toBe(true);
});
