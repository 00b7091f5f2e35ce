import { expect, test } from 'vitest';
import { parseJobInput } from '../../../handler/schema.ts';
import { toTranscribeOptions } from '../../../handler/transcribe-options.ts';

const AUDIO = { audio_url: 'https://example.com/a.wav' };
const optionsOf = (fields: object) => toTranscribeOptions(parseJobInput({ ...AUDIO, ...fields }));

test.each([
  [{ patience: 2 }, 'patience: needs a beam_size above 1'],
  [{ length_penalty: 1, beam_size: 1 }, 'length_penalty: needs a beam_size or best_of above 1'],
  [{ best_of: 5, temperature: 0 }, 'best_of: needs a temperature above 0'],
  [{ beam_size: 5, temperature: 0.2 }, 'beam_size: above 1 needs the temperature 0'],
  [{ multilingual: true, language: 'ko' }, 'multilingual: needs language to be left out'],
  [
    { language_detection_chunks: 3, language: 'ko' },
    'language_detection_chunks: needs language and multilingual to be left out',
  ],
])('%j would be without effect and is refused', (fields, problem) => {
  expect(() => parseJobInput({ ...AUDIO, ...fields })).toThrow(
    expect.objectContaining({ code: 'INPUT_INVALID', message: problem }),
  );
});

test('decoding is set rule by rule; what is left out is the recogniser’s own choice', () => {
  expect(optionsOf({}).rules).toEqual({});
  const options = optionsOf({
    beam_size: 5,
    patience: 2,
    length_penalty: 0,
    best_of: 3,
    repetition_penalty: 1.1,
    no_repeat_ngram_size: 3,
    suppress_tokens: [-1, 7],
    suppress_numerals: true,
    batch_size: 4,
    condition_on_previous_text: true,
    multilingual: true,
    tenant_id: 'a',
    hallucination_guards: { repetition_loops: false },
  });
  expect(options).toMatchObject({
    rules: {
      beamSize: 5,
      patience: 2,
      lengthPenalty: 0,
      bestOf: 3,
      repetitionPenalty: 1.1,
      noRepeatNgramSize: 3,
      suppressTokens: [-1, 7],
      suppressNumerals: true,
    },
    maxWindowsInFlight: 4,
    conditionOnPreviousText: true,
    multilingual: true,
    scheduling: { priority: 'file', tenant: 'a' },
    guards: {
      silencePhrases: true,
      repetitionLoops: false,
      silentWindows: true,
      paddingText: true,
    },
  });
  expect(optionsOf({ suppress_tokens: [] }).rules).toEqual({ suppressTokens: [] });
  expect(optionsOf({ suppress_tokens: null }).rules).toEqual({});
  expect(optionsOf({ language_detection_chunks: 2 }).languageDetectionChunks).toBe(2);
});
