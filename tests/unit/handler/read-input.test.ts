import { expect, test } from 'vitest';
import { z } from 'zod';
import { SttError } from '../../../core/errors.ts';
import { formValueReader } from '../../../handler/http/form-values.ts';
import { readInput } from '../../../handler/read-input.ts';
import { MessageReader } from '../../../handler/realtime/client-messages.ts';
import { listenSettingsOf } from '../../../handler/realtime/facades/deepgram-query.ts';
import { parseOpenAiMessage } from '../../../handler/realtime/facades/openai-messages.ts';
import { JobInputSchema, parseJobInput } from '../../../handler/schema.ts';

const AUDIO = { audio_url: 'https://example.com/a.wav' };
const parse = (fields: object) => parseJobInput({ ...AUDIO, ...fields });

test.each([
  [{ meeting_id: 199_505_756 }, { meeting_id: '199505756' }],
  [
    { tenant_id: 0, user_id: -7 },
    { tenant_id: '0', user_id: '-7' },
  ],
  [{ diarize: 'false' }, { diarize: false }],
  [
    { diarize: ' FALSE ', word_timestamps: '0' },
    { diarize: false, word_timestamps: false },
  ],
  [
    { multilingual: '1', suppress_numerals: 'True' },
    { multilingual: true, suppress_numerals: true },
  ],
  [{ num_speakers: '3' }, { num_speakers: 3 }],
  [
    { num_speakers: ' 3 ', max_speakers: '4.0' },
    { num_speakers: 3, max_speakers: 4 },
  ],
  [{ no_speech_threshold: '0.5' }, { no_speech_threshold: 0.5 }],
  [{ log_prob_threshold: '-.5e0' }, { log_prob_threshold: -0.5 }],
  [{ temperature: '0' }, { temperature: 0 }],
  [{ temperature: ['0', '0.4', 1] }, { temperature: [0, 0.4, 1] }],
  [{ suppress_tokens: ['-1', '50'] }, { suppress_tokens: [-1, 50] }],
  [{ vad: { onset_threshold: '0.7', min_speech_ms: '' } }, { vad: { onset_threshold: 0.7 } }],
  [
    { hallucination_guards: { padding_text: 'false' } },
    { hallucination_guards: { padding_text: false } },
  ],
  [{ subtitle: { max_lines: '2' }, output_format: 'vtt' }, { subtitle: { max_lines: 2 } }],
])('%j is understood', (fields, expected) => {
  expect(parse(fields)).toMatchObject(expected);
});

test.each([
  ...['task', 'output_format', 'diarize', 'num_speakers', 'temperature', 'vad', 'keywords'],
  ...['meeting_id', 'language', 'initial_prompt', 'known_speakers', 'alignment', 'subtitle'],
])('%s: empty and blank mean left out', (field) => {
  expect(parse({ [field]: '' })).toEqual(parse({}));
  if (field !== 'initial_prompt' && field !== 'meeting_id') {
    expect(parse({ [field]: ' ' })).toEqual(parse({}));
  }
});

test.each([
  { meeting_id: 2 ** 53 }, // Two ids would become one.
  { meeting_id: 1.5 },
  { meeting_id: true },
  { initial_prompt: 5 },
  { keywords: ['a', 5] },
  { num_speakers: '3 people' },
  { num_speakers: '1,000' },
  { num_speakers: '0x3' },
  { num_speakers: 'Infinity' },
  { num_speakers: true },
  { no_speech_threshold: '0,5' },
  { diarize: 2 },
  { diarize: 'maybe' },
  { diarize: '2' },
  { temperature: '1.5' },
])('%j has no one meaning and is refused by name', (fields) => {
  expect(() => parse(fields)).toThrow(SttError);
  expect(() => parse(fields)).toThrow(Object.keys(fields)[0]);
});

test('what is understood beside a mistake does not hide it', () => {
  expect(() => parse({ meeting_id: 5, num_speakers: '2', langauge: 'en' })).toThrow(
    /^unknown field langauge$/,
  );
});

test('input is not changed where it is read', () => {
  const input = { ...AUDIO, meeting_id: 5, vad: { onset_threshold: '0.7' } };
  const before = structuredClone(input);
  parseJobInput(input);
  expect(input).toEqual(before);
});

test('a field that a schema needs is not met by an empty one', () => {
  const schema = z.object({ name: z.string().min(1), count: z.number() });
  expect(() => readInput(schema, { name: '', count: null })).toThrow(/name: .*; count: /);
});

test('a form says lists and objects in texts too, and yes and no as check boxes do', () => {
  const read = formValueReader(JobInputSchema);
  const form = (fields: Record<string, string | string[]>) =>
    read(new Map(Object.entries(fields).map(([name, value]) => [name, [value].flat()])));
  expect(
    form({
      keywords: 'Seoul, Busan',
      suppress_tokens: '[1, 2]',
      temperature: '0,0.2',
      vad: '{"onset_threshold": "0.6"}',
      known_speakers: '{"Anna": [1]}',
      diarize: 'on',
      word_timestamps: 'no',
      num_speakers: 'undefined',
      max_speakers: 'null',
      min_speakers: '',
      output_format: '',
      initial_prompt: '[1]',
    }),
  ).toEqual({
    keywords: ['Seoul', 'Busan'],
    suppress_tokens: [1, 2],
    temperature: [0, 0.2],
    vad: { onset_threshold: 0.6 },
    known_speakers: { Anna: [1] },
    diarize: true,
    word_timestamps: false,
    num_speakers: null,
    max_speakers: null,
    initial_prompt: '[1]',
  });
  expect(form({ keywords: ['Seoul', 'Busan'], temperature: ['0', '0.2'] })).toEqual({
    keywords: ['Seoul', 'Busan'],
    temperature: [0, 0.2],
  });
  expect(() => parseJobInput({ ...AUDIO, ...form({ language: ['ko', 'en'] }) })).toThrow(
    /^language: .*string.*array/,
  );
});

test('live messages are read by the same rules', () => {
  const start = { type: 'start_session', meeting_id: 199_505_756, session_id: 7, user_id: '' };
  const settings = { sample_rate: '48000', diarize: 'true', encoding: '', language: null };
  expect(new MessageReader(true).read(JSON.stringify({ ...start, ...settings }))).toMatchObject({
    ...{ session_id: '7', meeting_id: '199505756', user_id: null },
    ...{ sample_rate: 48_000, diarize: true, encoding: 'auto', language: null },
  });
  const chunk = { type: 'audio_chunk', audio_data: 'AAA', seq: '3', timestamp: 5, meta: {} };
  const bytes = Buffer.from([0, 0]);
  expect(new MessageReader(true).read(JSON.stringify(chunk))).toEqual({
    ...{ type: 'audio_chunk', audio_data: bytes, seq: 3 },
  });
  for (const type of ['pause', 'resume', 'finalize', 'end_session', 'ping']) {
    expect(new MessageReader(true).read(JSON.stringify({ type, session_id: 's', at: 1 }))).toEqual({
      type,
    });
  }
  expect(() => new MessageReader(true).read('{"type":"start_session","langauge":"ko"}')).toThrow(
    'langauge',
  );
  expect(() =>
    new MessageReader(true).read('{"type":"audio_chunk","audio_data":"AA","seq":0}'),
  ).toThrow(/^seq: /);
});

test('so are the messages and options of other vendors', () => {
  const append = { type: 'input_audio_buffer.append', event_id: null };
  const audio = 'data:audio/pcm;base64,_-8=';
  expect(parseOpenAiMessage({ ...append, audio })).toMatchObject({
    audio: Buffer.from([0xff, 0xef]),
  });
  const query = { sample_rate: '8000', interim_results: '1', endpointing: '300', channels: '' };
  const known = { requestId: 'r', model: 'm' };
  expect(listenSettingsOf({ ...query, diarize: 'false' }, known)).toMatchObject({
    format: { sampleRateHz: 8000, channels: 1 },
    ...{ hasInterimResults: true, hasEndpointing: true, endSilenceMs: 300 },
  });
  expect(listenSettingsOf({ endpointing: 'false' }, known).hasEndpointing).toBe(false);
  expect(() => listenSettingsOf({ diarize: 'true' }, known)).toThrow(/^diarize: not available/);
});
