import { expect, test } from 'vitest';
import { SttError } from '../../../core/errors.ts';
import { toRecordingOptions } from '../../../handler/recording-options.ts';
import { parseJobInput } from '../../../handler/schema.ts';
import { DEFAULT_DIARIZE_OPTIONS } from '../../../pipeline/diarization/options.ts';
import { DEFAULT_TRANSCRIBE_OPTIONS } from '../../../pipeline/options.ts';
import { DEFAULT_POSTPROCESS_OPTIONS } from '../../../pipeline/postprocess/postprocess.ts';

const AUDIO = { audio_url: 'https://example.com/a.wav' };
const CANARY = 'c4nary';

const parse = (fields: object) => parseJobInput({ ...AUDIO, ...fields });

function problemOf(fields: object): string {
  try {
    parse(fields);
  } catch (thrown) {
    expect(thrown).toBeInstanceOf(SttError);
    return (thrown as SttError).message;
  }
  throw new Error('The input was accepted');
}

test('speakers are told apart unless they are not wanted, and text is repaired, not reworded', () => {
  expect(toRecordingOptions(parse({}))).toEqual({
    transcribe: DEFAULT_TRANSCRIBE_OPTIONS,
    diarize: DEFAULT_DIARIZE_OPTIONS,
    postprocess: DEFAULT_POSTPROCESS_OPTIONS,
    alignment: 'auto',
    chineseScript: null,
  });
  expect(toRecordingOptions(parse({ diarize: false })).diarize).toBeNull();
});

test('settings of speakers reach the pipeline; known voices are unit vectors', () => {
  const known_speakers = {
    Anna: { embedding: [0.6, 0.8], embedding_model: 'wespeaker' },
    ' Ben ': [0.999, 0], // As embeddings travelled before models could be chosen.
  };
  const fields = { num_speakers: 3, min_speakers: 2, max_speakers: 4, known_speakers };
  const { diarize } = toRecordingOptions(parse(fields));
  expect(diarize).toMatchObject({ numSpeakers: 3, minSpeakers: 2, maxSpeakers: 4 });
  expect(diarize!.knownSpeakers).toEqual(
    new Map([
      ['Anna', { embedding: Float32Array.of(0.6, 0.8), model: 'wespeaker' }],
      ['Ben', { embedding: Float32Array.of(1, 0), model: 'ge2e' }],
    ]),
  );
});

test('a bad voice is refused without its name', () => {
  const problem = problemOf({ known_speakers: { [CANARY]: [3, 4] } });
  expect(problem).toMatch(/^known_speakers: expected at most 64 names/);
  expect(problem).not.toContain(CANARY);
});

test.each([
  { num_speakers: 2 },
  { max_speakers: 2 },
  { return_speaker_embeddings: true },
  { known_speakers: { Anna: [1] } },
])('%j contradicts diarize: false', (fields) => {
  expect(problemOf({ ...fields, diarize: false })).toContain('diarize: must not be');
});

test('post-processing is set rule by rule; keywords correct words only when asked to', () => {
  const optionsFor = (postprocess: object) =>
    toRecordingOptions(parse({ postprocess, keywords: ['Seoul'] })).postprocess;
  expect(optionsFor({})).toEqual(DEFAULT_POSTPROCESS_OPTIONS);
  expect(
    optionsFor({
      repair_spacing: false,
      attach_particles: false,
      split_sentences: false,
      numbers: 'digits',
      remove_fillers: true,
      collapse_repeats: true,
      punctuate: true,
      correct_keywords: true,
    }),
  ).toEqual({
    repairSpacing: false,
    attachParticles: false,
    splitSentences: false,
    numbers: 'digits',
    removeFillers: true,
    collapseRepeats: true,
    punctuate: true,
    keywords: ['Seoul'],
  });
});

test('separate channels are one speaker each: settings of speakers beside them are refused', () => {
  const separate = { channels: 'separate' };
  for (const setting of [
    { num_speakers: 2 },
    { min_speakers: 2 },
    { max_speakers: 3 },
    { return_speaker_embeddings: true },
  ]) {
    expect(problemOf({ ...separate, ...setting })).toContain('channels: separate makes');
  }
  for (const fields of [
    separate,
    { ...separate, diarize: false },
    { ...separate, output_format: 'rttm' },
  ]) {
    expect(parse(fields).channels).toBe('separate');
  }
});

test('channels are mix or separate, and a track is a whole number from 0', () => {
  expect(problemOf({ channels: 'left' })).toContain('channels: ');
  for (const audio_track of [-1, 0.5, 256, 'one']) {
    expect(problemOf({ audio_track })).toContain('audio_track: ');
  }
  expect(parse({ audio_track: 0, channels: null })).toMatchObject({
    audio_track: 0,
    channels: 'mix',
  });
});
