import type { Waveform } from '../audio/waveform.ts';
import { cosineDistance } from '../pipeline/diarization/cosine.ts';
import { diarize } from '../pipeline/diarization/diarize.ts';
import { nameKnownSpeakers } from '../pipeline/diarization/known-speakers.ts';
import { DEFAULT_DIARIZE_OPTIONS, type DiarizeModels } from '../pipeline/diarization/options.ts';
import {
  countDiarizationErrors,
  type DiarizationErrors,
  sumDiarizationErrors,
} from './diarization-errors.ts';
import { RandomSource } from './random-source.ts';
import { rememberedEmbedding, rememberedSegmentation } from './remembered-models.ts';
import type { SpeakerTurn } from './rttm.ts';
import { type MixtureSetting, mixVoices, type VoiceMixture } from './voice-mixtures.ts';
import type { SpeakerVoices } from './voices.ts';

/** How well the people of many mixtures were told apart, under one setting. */
export interface MixtureScore {
  readonly setting: string;
  readonly errors: DiarizationErrors;
  /** Mixtures in which as many, fewer or more people were found than speak. */
  readonly exact: number;
  readonly fewer: number;
  readonly more: number;
}

/** Someone who was found, and who it is. */
interface FoundPerson {
  readonly mixture: number;
  readonly voice: string;
  /** Share of their time that is that person's. */
  readonly purity: number;
  readonly embedding: Float32Array;
  readonly totalSamples: number;
}

export interface KnownScore {
  readonly voices: number;
  /** Voices that got a name that is not theirs. */
  readonly wrong: number;
  /** Known people who were there, and of these those without their name. */
  readonly present: number;
  readonly missed: number;
}

const PERTURBATIONS = [0.8, 1.25];
const MIN_ENROLLED_SAMPLES = 6 * 16_000;
const STRANGERS = 3;
const KNOWN_ROUNDS = 5;

/** Mixtures of the voices at hand, and what diarization makes of them; the networks run once. */
export class SpeakerMixtures {
  readonly #models: DiarizeModels;
  readonly #mixtures: readonly VoiceMixture[];
  #found: FoundPerson[] = [];

  private constructor(models: DiarizeModels, mixtures: readonly VoiceMixture[]) {
    this.#models = models;
    this.#mixtures = mixtures;
  }

  /** `count` mixtures of these voices: the same for the same voices. */
  static make(
    { segmentation, embedding }: DiarizeModels,
    voices: readonly SpeakerVoices[],
    { kind, count }: { readonly kind: MixtureSetting; readonly count: number },
  ): SpeakerMixtures {
    const mixtures = Array.from({ length: count }, (_, index) =>
      mixVoices(voices, kind, index + 1),
    );
    const models = {
      segmentation: rememberedSegmentation(segmentation),
      embedding: rememberedEmbedding(embedding),
    };
    return new SpeakerMixtures(models, mixtures);
  }

  /** With the constants as they are and each a fifth smaller and a quarter larger. */
  async *scores(): AsyncGenerator<MixtureScore> {
    const { sameSpeaker } = this.#models.embedding;
    yield await this.#score('as it is', this.#models, false);
    this.#found = await this.#people();
    yield await this.#score('number of people given', this.#models, true);
    for (const name of ['distance', 'scatter', 'changePoint'] as const) {
      for (const factor of PERTURBATIONS) {
        const changed = { ...sameSpeaker, [name]: sameSpeaker[name] * factor };
        const embedding = { ...this.#models.embedding, sameSpeaker: changed };
        const setting = `${name} ${changed[name].toFixed(3)}`;
        yield await this.#score(setting, { ...this.#models, embedding }, false);
      }
    }
  }

  /**
   * Who is recognised from another mixture: half of the people of each mixture are known, and three
   * people who are not there.
   */
  knownSpeakers(): KnownScore {
    const random = new RandomSource(5);
    let score: KnownScore = { voices: 0, wrong: 0, present: 0, missed: 0 };
    for (let round = 0; round < KNOWN_ROUNDS; round++) {
      for (const mixture of this.#mixtures.keys()) {
        score = added(score, this.#recognise(mixture, random));
      }
    }
    return score;
  }

  /** Cosine distances between clean people of different mixtures. */
  distances(): { readonly same: number[]; readonly different: number[] } {
    const clean = this.#enrolled();
    const [same, different]: [number[], number[]] = [[], []];
    for (const [index, a] of clean.entries()) {
      for (const b of clean.slice(index + 1)) {
        if (a.mixture === b.mixture) continue;
        const distance = cosineDistance(a.embedding, b.embedding);
        if (a.voice === b.voice) same.push(distance);
        else if (personOf(a.voice) !== personOf(b.voice)) different.push(distance);
      }
    }
    return { same: same.toSorted((a, b) => a - b), different: different.toSorted((a, b) => a - b) };
  }

  #recognise(mixture: number, random: RandomSource): KnownScore {
    const here = this.#found.filter((person) => person.mixture === mixture);
    const names = namesOf(this.#mixtures[mixture]!.turns);
    const elsewhere = this.#enrolled().filter((person) => person.mixture !== mixture);
    const isHere = ({ voice }: FoundPerson): boolean =>
      names.some((name) => personOf(name) === personOf(voice));
    const known = new Map<string, FoundPerson>();
    for (const name of names) {
      const takes = elsewhere.filter(({ voice }) => voice === name);
      if (random.next() < 0.5 && takes.length > 0) known.set(name, random.pick(takes));
    }
    const present = known.size;
    const strangers = elsewhere.filter((person) => !isHere(person));
    for (const stranger of random.sample(strangers, STRANGERS)) known.set(stranger.voice, stranger);
    const people = new Map(
      [...known].map(([name, { embedding }]) => [name, { embedding, model: '' }]),
    );
    const given = nameKnownSpeakers(here, people, this.#models.embedding.knownSpeaker);
    const right = new Set(
      here.filter(({ voice }, i) => given[i]?.name === voice).map((p) => p.voice),
    );
    const wrong = here.filter(({ voice }, i) => given[i] && given[i].name !== voice).length;
    return { voices: here.length, wrong, present, missed: present - right.size };
  }

  /** Of whom enough was heard, and hardly anyone else beside. */
  #enrolled(): FoundPerson[] {
    return this.#found.filter(
      ({ purity, totalSamples }) => purity > 0.8 && totalSamples >= MIN_ENROLLED_SAMPLES,
    );
  }

  async #people(): Promise<FoundPerson[]> {
    const people: FoundPerson[] = [];
    for (const [mixture, { samples, turns: reference }] of this.#mixtures.entries()) {
      const { speakers, turns } = await this.#diarize(samples, this.#models, null);
      for (const { label, embedding, totalSamples } of speakers) {
        const own = turns.filter(({ speaker }) => speaker === label);
        const who = mostlyIn(own, reference);
        if (who !== undefined) people.push({ mixture, ...who, embedding, totalSamples });
      }
    }
    return people;
  }

  async #score(setting: string, models: DiarizeModels, isGiven: boolean): Promise<MixtureScore> {
    const errors: DiarizationErrors[] = [];
    let [exact, fewer, more] = [0, 0, 0];
    for (const { samples, turns: reference } of this.#mixtures) {
      const count = namesOf(reference).length;
      const { speakers, turns } = await this.#diarize(samples, models, isGiven ? count : null);
      errors.push(countDiarizationErrors(reference, turns));
      if (speakers.length === count) exact += 1;
      else if (speakers.length < count) fewer += 1;
      else more += 1;
    }
    return { setting, errors: sumDiarizationErrors(errors), exact, fewer, more };
  }

  #diarize(samples: Float32Array<ArrayBuffer>, models: DiarizeModels, numSpeakers: number | null) {
    const waveform: Waveform = {
      sampleCount: samples.length,
      read: ({ start, end }) => Promise.resolve(samples.slice(start, end)),
    };
    const options = { ...DEFAULT_DIARIZE_OPTIONS, numSpeakers };
    return diarize(waveform, models, options, {}, new AbortController().signal);
  }
}

const namesOf = (turns: readonly SpeakerTurn[]): string[] => [
  ...new Set(turns.map(({ speaker }) => speaker)),
];

/** Without the speed that a voice was played at. */
const personOf = (voice: string): string => voice.split(' ')[0]!;

/** Whose the turns mostly are. */
function mostlyIn(
  turns: readonly SpeakerTurn[],
  reference: readonly SpeakerTurn[],
): { voice: string; purity: number } | undefined {
  const shared = new Map<string, number>();
  for (const { range } of turns) {
    for (const { speaker, range: own } of reference) {
      const overlap = Math.min(range.end, own.end) - Math.max(range.start, own.start);
      if (overlap > 0) shared.set(speaker, (shared.get(speaker) ?? 0) + overlap);
    }
  }
  const total = [...shared.values()].reduce((sum, part) => sum + part, 0);
  const [most] = [...shared].toSorted(([, a], [, b]) => b - a);
  return most && { voice: most[0], purity: most[1] / total };
}

const added = (a: KnownScore, b: KnownScore): KnownScore => ({
  voices: a.voices + b.voices,
  wrong: a.wrong + b.wrong,
  present: a.present + b.present,
  missed: a.missed + b.missed,
});
