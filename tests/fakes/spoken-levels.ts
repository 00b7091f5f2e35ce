import { SAMPLE_RATE_HZ } from '../../audio/time.ts';
import type { WindowRecognizer } from '../../handler/realtime/contracts.ts';
import type { VoiceActivityModel } from '../../pipeline/contracts.ts';
import type { LiveWord } from '../../pipeline/realtime/agreement.ts';

const FRAME_SAMPLES = 512;
const WORD_SEC = 0.5;
const SPOKEN_SEC = 0.4;
const WORDS_PER_SENTENCE = 4;
const LEVEL = 0.01;

/** Each word is a level of its own for 0.4 s; a pause of a second follows every fourth. */
export function spokenLevels(wordCount: number): Float32Array<ArrayBuffer> {
  const sentences = Math.ceil(wordCount / WORDS_PER_SENTENCE);
  const waveform = new Float32Array((wordCount * WORD_SEC + sentences) * SAMPLE_RATE_HZ);
  for (let word = 0; word < wordCount; word++) {
    const startSec = word * WORD_SEC + Math.floor(word / WORDS_PER_SENTENCE);
    const start = startSec * SAMPLE_RATE_HZ;
    waveform.fill((word + 1) * LEVEL, start, start + SPOKEN_SEC * SAMPLE_RATE_HZ);
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
    const level = Math.round(waveform[begin]! / LEVEL);
    if (sample < waveform.length && Math.round(waveform[sample]! / LEVEL) === level) continue;
    if (level > 0) {
      const range = { start: offset + begin, end: offset + sample };
      words.push({ text: ` w${level}`, range, confidence: 1 });
    }
    begin = sample;
  }
  return words;
}
