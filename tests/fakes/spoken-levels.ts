import { SAMPLE_RATE_HZ } from '../../audio/time.ts';
import type { WindowRecognizer } from '../../handler/realtime/contracts.ts';
import type { VoiceActivityModel } from '../../pipeline/contracts.ts';
import type { LiveWord } from '../../pipeline/realtime/agreement.ts';

const FRAME_SAMPLES = 512;
const WORD_SEC = 0.5;
const SPOKEN_SEC = 0.4;
const WORDS_PER_SENTENCE = 4;
const LEVEL = 0.2;

/**
 * Each word is two levels, high and low, in turn for 0.4 s, each for as many samples as the word's number
 * and one; a pause of a second follows every fourth. Whatever gain it goes through, it says the same.
 */
export function spokenLevels(wordCount: number): Float32Array<ArrayBuffer> {
  const sentences = Math.ceil(wordCount / WORDS_PER_SENTENCE);
  const waveform = new Float32Array((wordCount * WORD_SEC + sentences) * SAMPLE_RATE_HZ);
  for (let word = 0; word < wordCount; word++) {
    const startSec = word * WORD_SEC + Math.floor(word / WORDS_PER_SENTENCE);
    const start = startSec * SAMPLE_RATE_HZ;
    for (let sample = 0; sample < SPOKEN_SEC * SAMPLE_RATE_HZ; sample++) {
      waveform[start + sample] = Math.floor(sample / (word + 2)) % 2 === 0 ? LEVEL : -LEVEL;
    }
  }
  return waveform;
}

/** What a session says that has heard so many words. */
export const textOfLevels = (wordCount: number): string =>
  Array.from({ length: wordCount }, (_, word) => `w${word + 1}`).join(' ');

/** Hears speech where there is any level; `failures` are what its next runs fail with. */
export function levelVoiceActivity(failures: Error[] = []): VoiceActivityModel {
  return {
    windowSamples: FRAME_SAMPLES,
    isIndependent: true,
    openStream: () => ({
      push: async (waveform) => {
        const failure = failures.shift();
        if (failure) throw failure;
        const frames = Math.ceil(waveform.length / FRAME_SAMPLES);
        return Float32Array.from({ length: frames }, (_, frame) => {
          const samples = waveform.subarray(frame * FRAME_SAMPLES, (frame + 1) * FRAME_SAMPLES);
          return samples.some((sample) => sample !== 0) ? 0.95 : 0.05;
        });
      },
    }),
  };
}

/** Reads the levels as words; `failure` is asked before each window. */
export function levelRecognizer(failure: () => Error | undefined = () => undefined) {
  const recognizer: WindowRecognizer = {
    recognize: async ({ waveform, start }) => {
      const failed = failure();
      if (failed) throw failed;
      return { words: wordsIn(waveform, start), language: 'en', languageProbability: 1 };
    },
  };
  return recognizer;
}

function wordsIn(waveform: Float32Array, offset: number): LiveWord[] {
  const words: LiveWord[] = [];
  let begin = 0;
  for (let sample = 1; sample <= waveform.length; sample++) {
    const isSound = waveform[sample - 1] !== 0;
    if (sample < waveform.length && (waveform[sample] !== 0) === isSound) continue;
    if (isSound) {
      const range = { start: offset + begin, end: offset + sample };
      const text = ` w${longestLevel(waveform.subarray(begin, sample)) - 1}`;
      words.push({ text, range, confidence: 1 });
    }
    begin = sample;
  }
  return words;
}

/** Samples in a row with the same sign: the first and the last row may have been cut. */
function longestLevel(sound: Float32Array): number {
  let longest = 0;
  let begin = 0;
  for (let sample = 1; sample <= sound.length; sample++) {
    if (sample < sound.length && Math.sign(sound[sample]!) === Math.sign(sound[begin]!)) continue;
    longest = Math.max(longest, sample - begin);
    begin = sample;
  }
  return longest;
}
