import { type DetectedLanguage, UNDETERMINED_LANGUAGE } from './languages.ts';

/** One window that is so certain settles the language of a recording. */
const CERTAIN = 0.8;

/** What single windows say about the language of a recording, weighed by how sure each is. */
export class LanguageVotes {
  readonly #sums = new Map<string, number>();
  #count = 0;

  add({ language, languageProbability }: DetectedLanguage): void {
    this.#sums.set(language, (this.#sums.get(language) ?? 0) + languageProbability);
    this.#count += 1;
  }

  /** Whether `maxVotes` were cast, or one language leads with a mean probability that is certain. */
  isDecided(maxVotes: number): boolean {
    return this.#count >= maxVotes || this.winner().languageProbability >= CERTAIN;
  }

  /** The language with the largest sum, its probability averaged over all votes; `und` without any. */
  winner(): DetectedLanguage {
    let best: DetectedLanguage = { language: UNDETERMINED_LANGUAGE, languageProbability: 0 };
    for (const [language, sum] of this.#sums) {
      const languageProbability = sum / this.#count;
      if (languageProbability > best.languageProbability) best = { language, languageProbability };
    }
    return best;
  }
}
