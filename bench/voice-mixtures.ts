import { secToSamples } from '../audio/time.ts';
import { RandomSource } from './random-source.ts';
import { addNoise, farRoom, inRoom, nearRoom, type Room, telephone } from './rooms.ts';
import type { SpeakerTurn } from './rttm.ts';
import type { SpeakerVoices, VoiceSource } from './voices.ts';

/** A conversation that never took place, and who speaks when in it. */
export interface VoiceMixture {
  readonly samples: Float32Array<ArrayBuffer>;
  readonly turns: readonly SpeakerTurn[];
}

const MAX_SPEAKERS = { near: 5, far: 4 } as const;
export type MixtureSetting = 'far' | 'near';

type Range = readonly [number, number];

interface Setting {
  readonly sec: Range;
  readonly reverberationSec: Range;
  readonly signalToNoiseDb: readonly number[];
  readonly level: Range;
  /** Of one speaker, beside the others. */
  readonly gainDb: Range;
  readonly remarkChance: number;
  readonly room: (random: RandomSource, reverberationSec: number) => Room;
}

/** Half a minute across the room from one microphone; up to a minute and a half beside it. */
const SETTINGS: Readonly<Record<MixtureSetting, Setting>> = {
  far: {
    sec: [28, 32],
    reverberationSec: [0.3, 0.7],
    signalToNoiseDb: [0, 5, 10, 15],
    level: [0.05, 0.3],
    gainDb: [-18, 0],
    remarkChance: 0.3,
    room: farRoom,
  },
  near: {
    sec: [45, 90],
    reverberationSec: [0.1, 0.45],
    signalToNoiseDb: [5, 10, 20, 30],
    level: [0.5, 1],
    gainDb: [-6, 3],
    remarkChance: 0.15,
    room: nearRoom,
  },
};
/** Within a turn, between stretches. */
const PAUSE_SEC = [0.05, 0.3] as const;
/** Of a turn: median, and the scatter of its logarithm. */
const TURN_SEC = { median: 2.5, scatter: 0.7, least: 0.4, most: 10 };
/** Between turns; a negative one is an overlap. */
const GAP_SEC = { mean: 0.25, deviation: 0.45, least: -1.2, most: 2 };
const BANGS = 2;

/** The same mixture for the same seed: two to five people, also one who says little, in one room. */
export function mixVoices(
  voices: readonly SpeakerVoices[],
  kind: MixtureSetting,
  seed: number,
): VoiceMixture {
  const setting = SETTINGS[kind];
  const random = new RandomSource(seed);
  const count = 2 + Math.floor(random.next() * (MAX_SPEAKERS[kind] - 1));
  const speakers = random.sample(voices, count).map((speeds) => random.pick(speeds));
  const length = secToSamples(random.between(...setting.sec));
  const talk = new Talk(speakers, random, { length, setting });
  const samples = talk.samples();
  for (let bang = 0; bang < BANGS; bang++) addBang(samples, random);
  if (kind === 'near' && random.next() < 0.4) telephone(samples);
  addNoise(samples, random.pick(setting.signalToNoiseDb), random);
  const level = random.between(...setting.level);
  for (let at = 0; at < samples.length; at++) samples[at]! *= level;
  return { samples, turns: talk.turns };
}

interface Speaker {
  readonly voice: VoiceSource;
  readonly room: Room;
  /** How much they say. */
  readonly share: number;
  readonly gain: number;
  /** Where they go on. */
  stretch: number;
  offset: number;
}

class Talk {
  readonly turns: SpeakerTurn[] = [];
  readonly #speakers: Speaker[];
  readonly #random: RandomSource;
  readonly #tracks: Float32Array<ArrayBuffer>[];
  readonly #length: number;
  readonly #setting: Setting;

  constructor(
    people: readonly VoiceSource[],
    random: RandomSource,
    { length, setting }: { readonly length: number; readonly setting: Setting },
  ) {
    this.#random = random;
    this.#length = length;
    this.#setting = setting;
    const reverberationSec = random.between(...setting.reverberationSec);
    this.#speakers = people.map((voice) => ({
      voice,
      room: setting.room(random, reverberationSec),
      share: Math.exp(random.normal()),
      gain: 10 ** (random.between(...setting.gainDb) / 20),
      stretch: Math.floor(random.next() * voice.stretches.length),
      offset: 0,
    }));
    this.#tracks = people.map(() => new Float32Array(length));
    this.#fill();
  }

  samples(): Float32Array<ArrayBuffer> {
    const sum = new Float32Array(this.#length);
    for (const [index, track] of this.#tracks.entries()) {
      const heard = inRoom(track, this.#speakers[index]!.room);
      for (let at = 0; at < sum.length; at++) sum[at]! += heard[at]!;
    }
    return sum;
  }

  #fill(): void {
    const random = this.#random;
    let at = secToSamples(random.between(0, 1.5));
    let last = -1;
    while (at < this.#length - secToSamples(1)) {
      const next = this.#nextSpeaker(last);
      const wanted = TURN_SEC.median * Math.exp(TURN_SEC.scatter * random.normal());
      const end = this.#say(next, at, clamp(wanted, TURN_SEC.least, TURN_SEC.most));
      if (random.next() < this.#setting.remarkChance && end - at > secToSamples(2)) {
        const other = this.#nextSpeaker(next);
        this.#say(
          other,
          at + Math.floor(random.between(0.2, 0.7) * (end - at)),
          random.between(0.4, 0.8),
        );
      }
      const gap = GAP_SEC.mean + GAP_SEC.deviation * random.normal();
      at = Math.max(
        at + secToSamples(0.4),
        end + secToSamples(clamp(gap, GAP_SEC.least, GAP_SEC.most)),
      );
      last = next;
    }
  }

  #nextSpeaker(last: number): number {
    const others = [...this.#speakers.keys()].filter((index) => index !== last);
    const total = others.reduce((sum, index) => sum + this.#speakers[index]!.share, 0);
    let left = this.#random.next() * total;
    for (const index of others) {
      left -= this.#speakers[index]!.share;
      if (left < 0) return index;
    }
    return others.at(-1)!;
  }

  /** Puts the speaker's next words at `start`; returns where they end. */
  #say(index: number, start: number, sec: number): number {
    const speaker = this.#speakers[index]!;
    let at = start;
    const until = Math.min(this.#length, start + secToSamples(sec));
    while (at < until) {
      const { stretches } = speaker.voice;
      const stretch = stretches[speaker.stretch % stretches.length]!;
      const piece = stretch.subarray(speaker.offset, speaker.offset + until - at);
      const track = this.#tracks[index]!;
      for (let i = 0; i < piece.length; i++) track[at + i]! += piece[i]! * speaker.gain;
      at += piece.length;
      speaker.offset += piece.length;
      if (speaker.offset < stretch.length) continue;
      speaker.stretch += 1;
      speaker.offset = 0;
      at += secToSamples(this.#random.between(...PAUSE_SEC));
    }
    const end = Math.min(at, until);
    this.turns.push({ speaker: speaker.voice.name, range: { start, end } });
    return end;
  }
}

/** A door, a laugh: broad noise that is nobody's speech. */
function addBang(samples: Float32Array, random: RandomSource): void {
  const length = secToSamples(random.between(0.2, 0.6));
  const start = Math.floor(random.next() * (samples.length - length));
  const pulse = random.between(5, 12);
  for (let at = 0; at < length; at++) {
    const loudness =
      0.05 *
      Math.sin((Math.PI * at) / length) *
      (0.6 + 0.4 * Math.sin((2 * Math.PI * pulse * at) / 16_000));
    samples[start + at]! += loudness * random.normal();
  }
}

const clamp = (value: number, least: number, most: number): number =>
  Math.max(least, Math.min(most, value));
