import fc from 'fast-check';
import { expect, test } from 'vitest';
import { SttError } from '../../../core/errors.ts';
import { parseJobInput } from '../../../handler/schema.ts';
import { toTranscribeOptions } from '../../../handler/transcribe-options.ts';
import { DEFAULT_TRANSCRIBE_OPTIONS } from '../../../pipeline/options.ts';

const AUDIO = { audio_url: 'https://example.com/a.wav' };
const CANARY = 'c4nary';

const parse = (fields: object) => parseJobInput({ ...AUDIO, ...fields });
const optionsOf = (fields: object) => toTranscribeOptions(parse(fields));

function problemOf(rawInput: unknown): string {
  try {
    parseJobInput(rawInput);
  } catch (thrown) {
    expect(thrown).toBeInstanceOf(SttError);
    expect((thrown as SttError).code).toBe('INPUT_INVALID');
    return (thrown as SttError).message;
  }
  throw new Error('The input was accepted');
}

const OPTIONAL_FIELDS = [
  'task',
  'meeting_id',
  'tenant_id',
  'user_id',
  'language',
  'languages',
  'initial_prompt',
  'keywords',
  'temperature',
  'output_format',
  'vad',
  'compression_ratio_threshold',
  'log_prob_threshold',
  'no_speech_threshold',
  'diarize',
  'num_speakers',
  'min_speakers',
  'max_speakers',
  'known_speakers',
  'return_speaker_embeddings',
  'word_timestamps',
  'beam_size',
  'batch_size',
  'patience',
  'length_penalty',
  'best_of',
  'repetition_penalty',
  'no_repeat_ngram_size',
  'suppress_tokens',
  'suppress_numerals',
  'condition_on_previous_text',
  'multilingual',
  'language_detection_chunks',
  'hallucination_guards',
  'postprocess',
];

test('a source of audio is all that a job needs', () => {
  expect(optionsOf({})).toEqual(DEFAULT_TRANSCRIBE_OPTIONS);
  expect(parse({})).toMatchObject({
    task: 'transcribe',
    output_format: 'json',
    meeting_id: null,
    tenant_id: null,
    user_id: null,
  });
});

test.each(OPTIONAL_FIELDS)('%s: null means left out', (field) => {
  expect(optionsOf({ [field]: null })).toEqual(optionsOf({}));
});

test('every setting of vad may be null', () => {
  const vad = {
    onset_threshold: null,
    offset_threshold: null,
    min_speech_ms: null,
    min_silence_ms: null,
    speech_pad_ms: null,
    max_pause_ms: null,
  };
  expect(optionsOf({ vad })).toEqual(DEFAULT_TRANSCRIBE_OPTIONS);
});

test.each([
  ['neither', {}],
  ['null', { audio_url: null, audio_base64: null }],
  ['empty', { audio_url: '', audio_base64: '' }],
])('no source (%s) is refused', (_name, input) => {
  expect(problemOf(input)).toBe('audio_url: no audio: give one of audio_url and audio_base64');
});

test('two sources are refused', () => {
  expect(problemOf({ ...AUDIO, audio_base64: 'UklGRg==' })).toContain('not both');
});

test('an empty second source is none', () => {
  expect(parse({ audio_base64: '' }).audio_base64).toBeNull();
});

test('an unknown field is refused by its name', () => {
  expect(problemOf({ ...AUDIO, langauge: 'en' })).toBe('unknown field langauge');
  expect(problemOf({ ...AUDIO, vad: { onset: 0.5 } })).toBe('vad: unknown field onset');
});

test('a path has no field of its own', () => {
  expect(problemOf({ audio_path: '/a.wav' })).toContain('unknown field audio_path');
});

test('an unknown field whose name could be speech is told by its length', () => {
  expect(problemOf({ ...AUDIO, 'what I said': 1 })).toBe('unknown field of 11 characters');
});

test('all problems are told at once, with the place in lists', () => {
  const problem = problemOf({ ...AUDIO, task: 7, keywords: ['a', 5], diarize: 'yes' });
  expect(problem).toMatch(/task: .*; keywords\[1\]: .*string.*number.*; diarize: .*boolean/);
});

test.each([undefined, null, 'text', 5, []])('an input that is %j is refused', (rawInput) => {
  expect(problemOf(rawInput)).toMatch(/^input: .*expected object/);
});

test.each([
  ['ko', 'ko'],
  ['KO', 'ko'],
  ['Korean', 'ko'],
  [' english ', 'en'],
  ['ko-KR', 'ko'],
  ['zh_TW', 'zh'],
  ['zh-Hant', 'zh'],
  ['Mandarin', 'zh'],
  ['haitian creole', 'ht'],
  ['haw', 'haw'],
  ['auto', null],
  ['Auto', null],
  ['', null],
  [null, null],
])('language %j is %j', (language, expected) => {
  expect(parse({ language }).language?.code ?? null).toBe(expected);
});

test.each(['klingon', 'xx', 'k', 'ko-', 'enx', 'constructor'])(
  'language %j is refused',
  (language) => {
    expect(problemOf({ ...AUDIO, language })).toMatch(/^language: expected a language code/);
  },
);

test.each([
  { temperature: 1.5 },
  { temperature: -0.1 },
  { temperature: [] },
  { temperature: [0, 2] },
  { beam_size: 9 },
  { beam_size: 1.5 },
  { batch_size: 0 },
  { patience: 0, beam_size: 5 },
  { repetition_penalty: 0 },
  { no_repeat_ngram_size: -1 },
  { suppress_tokens: [-2] },
  { suppress_tokens: '1,2' },
  { suppress_numerals: 1 },
  { hallucination_guards: { silence: true } },
  { hallucination_guards: false },
  { language_detection_chunks: 0 },
  { postprocess: true },
  { postprocess: { spelling: true } },
  { postprocess: { numbers: 'roman' } },
  { postprocess: { chinese_script: 'Hant' } },
  { known_speakers: [] },
  { known_speakers: { Anna: [0.5, 0.5] } },
  { known_speakers: { Anna: ['1'] } },
  { known_speakers: { SPEAKER_01: [1] } },
  { return_speaker_embeddings: 'yes' },
  { task: 'stream' },
  { output_format: 'docx' },
  { meeting_id: 'x'.repeat(257) },
  { tenant_id: 1.5 },
  { keywords: Array.from({ length: 501 }, () => 'a') },
  { keywords: ['x'.repeat(101)] },
  { keywords: 'seoul' },
  { initial_prompt: 'x'.repeat(4001) },
  { compression_ratio_threshold: 0 },
  { log_prob_threshold: 0.5 },
  { no_speech_threshold: 1.1 },
  { diarize: 1 },
  { word_timestamps: 'maybe' },
  { num_speakers: 0 },
  { num_speakers: 1.5 },
  { max_speakers: 65 },
  { vad: { onset_threshold: 2 } },
  { vad: { min_speech_ms: -1 } },
  { vad: true },
])('%j is refused by name', (fields) => {
  const [field] = Object.keys(fields);
  expect(problemOf({ ...AUDIO, ...fields })).toContain(field);
});

test('a problem never quotes a value', () => {
  const values = [CANARY, [CANARY], { [`${CANARY} `]: CANARY }, { a: CANARY }];
  for (const field of [...OPTIONAL_FIELDS, 'audio_url', 'audio_base64', 'vad', 'unheard']) {
    for (const value of values) {
      try {
        parseJobInput({ [field]: value });
      } catch (thrown) {
        expect(String(thrown)).not.toContain(CANARY);
      }
    }
  }
});

test('speakers: the least may not be above the most, and the number lies between', () => {
  expect(problemOf({ ...AUDIO, min_speakers: 3, max_speakers: 2 })).toContain('min_speakers');
  expect(problemOf({ ...AUDIO, min_speakers: 3, num_speakers: 2 })).toContain('num_speakers');
  expect(problemOf({ ...AUDIO, max_speakers: 3, num_speakers: 4 })).toContain('num_speakers');
  expect(parse({ min_speakers: 2, num_speakers: 3, max_speakers: 3 }).num_speakers).toBe(3);
});

test('settings reach the pipeline under its own names', () => {
  const options = optionsOf({
    task: 'translate',
    language: 'Japanese',
    temperature: [0, 0.3],
    compression_ratio_threshold: 2,
    log_prob_threshold: -0.7,
    no_speech_threshold: 0.4,
    vad: {
      onset_threshold: 0.6,
      offset_threshold: 0.2,
      min_speech_ms: 100,
      min_silence_ms: 300,
      speech_pad_ms: 50,
      max_pause_ms: 300,
    },
  });
  expect(options).toEqual({
    ...DEFAULT_TRANSCRIBE_OPTIONS,
    task: 'translate',
    language: 'ja',
    prompt: null,
    temperatures: [0, 0.3],
    compressionRatioThreshold: 2,
    avgLogProbThreshold: -0.7,
    noSpeechThreshold: 0.4,
    maxChunkSec: 30,
    maxPauseSec: 0.3,
    wordTimes: true,
    vad: {
      onsetThreshold: 0.6,
      offsetThreshold: 0.2,
      minSpeechMs: 100,
      minSilenceMs: 300,
      speechPadMs: 50,
    },
  });
});

test('a single temperature is tried alone, zero too', () => {
  expect(optionsOf({ temperature: 0 }).temperatures).toEqual([0]);
  expect(optionsOf({ temperature: 0.4 }).temperatures).toEqual([0.4]);
});

test('a zero is a setting, not a missing one', () => {
  const options = optionsOf({ log_prob_threshold: 0, no_speech_threshold: 0 });
  expect(options).toMatchObject({ avgLogProbThreshold: 0, noSpeechThreshold: 0 });
});

test('keywords come after the prompt; blank ones are dropped', () => {
  const keywords = ['Seoul', ' ', ' Busan '];
  expect(optionsOf({ initial_prompt: 'A meeting.', keywords }).prompt).toBe(
    'A meeting. Seoul, Busan.',
  );
  expect(optionsOf({ keywords }).prompt).toBe('Seoul, Busan.');
  expect(optionsOf({ initial_prompt: '', keywords: [' '] }).prompt).toBeNull();
});

test('the offset follows an onset that is set alone, and never passes it', () => {
  fc.assert(
    fc.property(fc.double({ min: 0, max: 1, noNaN: true }), (onset_threshold) => {
      const { onsetThreshold, offsetThreshold } = optionsOf({ vad: { onset_threshold } }).vad;
      expect(onsetThreshold).toBe(onset_threshold);
      expect(offsetThreshold).toBeLessThanOrEqual(onsetThreshold);
      expect(offsetThreshold).toBeGreaterThanOrEqual(0);
    }),
  );
  expect(optionsOf({ vad: { onset_threshold: 0.8 } }).vad.offsetThreshold).toBeCloseTo(0.65);
});

test('an offset above the onset is refused', () => {
  expect(problemOf({ ...AUDIO, vad: { offset_threshold: 0.6 } })).toContain('offset_threshold');
  expect(problemOf({ ...AUDIO, vad: { onset_threshold: 0.2, offset_threshold: 0.3 } })).toContain(
    'offset_threshold',
  );
});
