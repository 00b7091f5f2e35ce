import { expect, test } from 'vitest';
import { secToSamples } from '../../../audio/time.ts';
import { toJobResult } from '../../../handler/result.ts';
import { parseJobInput } from '../../../handler/schema.ts';
import type { RecordingTranscript } from '../../../pipeline/process-recording.ts';
import { fakeSegment, fakeTranscript } from '../../fakes/job-services.ts';

const ELAPSED = { totalMs: 2345.6, stagesMs: { open_audio: 1200.4, recognize: 1000 } };

const resultOf = (transcript: Partial<RecordingTranscript> = {}, fields: object = {}) =>
  toJobResult(
    fakeTranscript(transcript),
    parseJobInput({ audio_url: 'https://example.com/a.wav', ...fields }),
    ELAPSED,
  );

const CONTRACT_FIELDS = [
  'meeting_id',
  'tenant_id',
  'transcript',
  'segments',
  'speakers',
  'confidence',
  'processing_time',
  'language',
  'total_segments',
  'total_speakers',
  'has_diarization',
];

test('a result has the fields of the contract and ours, each with its unit', () => {
  const ids = { meeting_id: 'm1', tenant_id: 't1', user_id: 'u1' };
  expect(resultOf({}, ids)).toEqual({
    meeting_id: 'm1',
    tenant_id: 't1',
    user_id: 'u1',
    transcript: 'And so my fellow Americans',
    segments: [
      { start: 0, end: 1.5, text: 'And so', confidence: 0.9 },
      { start: 1.5, end: 4, text: 'my fellow Americans', confidence: 0.9 },
    ],
    speakers: {},
    confidence: 0.9,
    processing_time: 2.346,
    language: 'en',
    total_segments: 2,
    total_speakers: 0,
    has_diarization: false,
    audio_duration: 4,
    language_probability: 0.98,
    model: 'fake-whisper',
    alignment: null,
    warnings: [],
    decoded_rows: 2,
    timings: { open_audio: 1.2, recognize: 1 },
  });
});

test('ids that were not given are null', () => {
  expect(resultOf()).toMatchObject({ meeting_id: null, tenant_id: null, user_id: null });
});

test('a recording without speech is a result too', () => {
  const result = resultOf({ segments: [], language: 'und', languageProbability: 0 });
  expect(result).toMatchObject({ transcript: '', segments: [], confidence: 0, total_segments: 0 });
});

test('times have whole milliseconds', () => {
  const range = { start: 1, end: 16_009 };
  const [segment] = resultOf({ segments: [fakeSegment(0, 0, 'a', { range })] }).segments;
  expect(segment).toMatchObject({ start: 0, end: 1.001 });
});

test('times never fall when they are rounded', () => {
  const samples = Array.from({ length: 2000 }, (_, index) => index * 7);
  const segments = samples.map((start) =>
    fakeSegment(0, 0, 'a', { range: { start, end: start + 7 } }),
  );
  let previous = 0;
  for (const { start, end } of resultOf({ segments }).segments) {
    expect(start).toBeGreaterThanOrEqual(previous);
    expect(end).toBeGreaterThanOrEqual(start);
    previous = start;
  }
});

test('the confidence of a result weighs segments by their length', () => {
  const segments = [
    fakeSegment(0, 3, 'a', { confidence: 0.8 }),
    fakeSegment(5, 6, 'b', { confidence: 0.4 }),
  ];
  expect(resultOf({ segments }).confidence).toBe(0.7);
});

test('segments without length still count', () => {
  const segments = [fakeSegment(1, 1, 'a', { confidence: 0.5 })];
  expect(resultOf({ segments }).confidence).toBe(0.5);
});

test('Japanese is joined without spaces, its translation with them', () => {
  const segments = [fakeSegment(0, 1, '今日は'), fakeSegment(1, 2, '東京です')];
  expect(resultOf({ segments, language: 'ja' }).transcript).toBe('今日は東京です');
  const english = [fakeSegment(0, 1, 'Today'), fakeSegment(1, 2, 'Tokyo')];
  const translated = resultOf({ segments: english, language: 'ja' }, { task: 'translate' });
  expect(translated).toMatchObject({ transcript: 'Today Tokyo', language: 'ja' });
});

test('verbose adds the diagnostics of OpenAI to each segment', () => {
  const { segments } = resultOf({}, { output_format: 'verbose' });
  expect(segments[1]).toEqual({
    id: 1,
    start: 1.5,
    end: 4,
    text: 'my fellow Americans',
    confidence: 0.9,
    avg_logprob: -0.25,
    no_speech_prob: 0.125,
    compression_ratio: 1.5,
    temperature: 0.2,
  });
});

test.each(['text', 'srt', 'vtt', 'tsv'])(
  '%s stands beside all the fields of the contract',
  (format) => {
    const plain = resultOf();
    const { formatted, output_format, ...rest } = resultOf({}, { output_format: format });
    expect(rest).toEqual(plain);
    expect(output_format).toBe(format);
    expect(formatted).toContain('my fellow Americans');
    expect(Object.keys(rest)).toEqual(expect.arrayContaining(CONTRACT_FIELDS));
  },
);

test.each(['json', 'verbose'])('%s needs no second form', (format) => {
  expect(resultOf({}, { output_format: format })).not.toHaveProperty('formatted');
});

test('speakers and words are taken over when there are any, never invented', () => {
  const words = [
    {
      text: ' hi',
      range: { start: 0, end: secToSamples(0.5) },
      confidence: 0.75,
      speaker: 'SPEAKER_00',
    },
  ];
  const segments = [
    fakeSegment(0, 1, 'hi', { speaker: 'SPEAKER_00', words }),
    fakeSegment(1, 3, 'hello', { speaker: 'SPEAKER_01' }),
    fakeSegment(3, 3.5, 'again', { speaker: 'SPEAKER_00' }),
    fakeSegment(4, 5, 'who?'),
  ];
  const result = resultOf({ segments });
  expect(result).toMatchObject({ total_speakers: 2, has_diarization: true, total_segments: 4 });
  expect(result.speakers).toEqual({
    SPEAKER_00: { total_duration: 1.5, segments_count: 2, text_parts: ['hi', 'again'] },
    SPEAKER_01: { total_duration: 2, segments_count: 1, text_parts: ['hello'] },
  });
  expect(result.segments[0]!.words).toEqual([
    { word: 'hi', start: 0, end: 0.5, confidence: 0.75, speaker: 'SPEAKER_00' },
  ]);
  expect(result.segments[3]).not.toHaveProperty('speaker');
});

test('a result survives JSON unchanged', () => {
  const result = resultOf({}, { output_format: 'srt' });
  expect(JSON.parse(JSON.stringify(result))).toEqual(result);
});

test('voices are given away only when they are asked for', () => {
  const speakers = [{ label: 'Anna', embedding: Float32Array.of(0.6, 0.8), totalSamples: 1 }];
  const segments = [fakeSegment(0, 1, 'hi', { speaker: 'Anna' })];
  expect(resultOf({ segments, speakers }).speakers['Anna']).not.toHaveProperty('embedding');
  const asked = resultOf(
    { segments, speakers, embeddingModel: 'ge2e' },
    { return_speaker_embeddings: true },
  );
  expect(asked.speakers['Anna']).toMatchObject({ embedding: [0.6, 0.8], embedding_model: 'ge2e' });
});
