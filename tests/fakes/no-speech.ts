import { SAMPLE_RATE_HZ } from '../../audio/time.ts';

const TAU = 2 * Math.PI;
const MELODY_HZ = [262, 330, 392, 523, 440, 349, 294];

type Sound = (random: () => number) => (sample: number) => number;

/** A sum of overtones that fall off. */
const tone = (hz: number, sample: number, overtones: number): number => {
  let sum = 0;
  for (let overtone = 1; overtone <= overtones; overtone += 1) {
    sum += Math.sin((TAU * hz * overtone * sample) / SAMPLE_RATE_HZ) / overtone;
  }
  return sum;
};

/** What a microphone hears when nobody speaks, about as loud as full scale allows. */
export const NO_SPEECH: Readonly<Record<string, Sound>> = {
  'white noise': (random) => () => random(),
  'pink noise': (random) => {
    const rows = Array.from({ length: 8 }, random);
    return (sample) => {
      const row = Math.min(7, Math.clz32(sample & -sample) ^ 31);
      rows[Math.max(0, row)] = random();
      return rows.reduce((sum, value) => sum + value, 0) / 8;
    };
  },
  'brown noise': (random) => {
    let level = 0;
    return () => {
      level = 0.998 * level + 0.06 * random();
      return level;
    };
  },
  'hum of 50 Hz': () => (sample) => 0.5 * tone(50, sample, 9),
  'hum of 60 Hz': () => (sample) => 0.5 * tone(60, sample, 9),
  'a melody': () => (sample) => {
    const beat = (2 * sample) / SAMPLE_RATE_HZ;
    const hz = MELODY_HZ[Math.floor(beat) % MELODY_HZ.length]!;
    return 0.5 * tone(hz, sample, 5) * Math.exp(-3 * (beat % 1));
  },
  typing: (random) => (sample) => {
    const since = sample % 2900;
    return random() * Math.exp(-since / 60) + 0.001 * random();
  },
  knocks: (random) => (sample) => {
    const since = (sample + 8000) % 32_000;
    return Math.sin(0.06 * since) * Math.exp(-since / 500) + 0.001 * random();
  },
};

/** So many seconds of it, at a level of full scale; `isDithered` rounds it to 16 bits. */
export function noSpeech(
  name: string,
  seconds: number,
  levelDb: number,
): Float32Array<ArrayBuffer> {
  let state = 7;
  const random = (): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 31 - 1;
  };
  const sound = NO_SPEECH[name]!(random);
  const gain = 10 ** (levelDb / 20);
  return Float32Array.from(
    { length: seconds * SAMPLE_RATE_HZ },
    (_, sample) => gain * sound(sample),
  );
}
