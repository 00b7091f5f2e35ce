import { expect, test } from 'vitest';
import { secToSamples } from '../../../audio/time.ts';
import { widthOf } from '../../../handler/formats/display-width.ts';
import { toJobResult } from '../../../handler/result.ts';
import { parseJobInput } from '../../../handler/schema.ts';
import { fakeSegment, fakeTranscript } from '../../fakes/job-services.ts';

const TEXT = 'Please send me the numbers by Friday afternoon and I will ask the finance team.';
const SEGMENTS = [fakeSegment(1, 6, TEXT, { speaker: 'SPEAKER_01' })];
const TURNS = [
  { speaker: 'SPEAKER_01', range: { start: secToSamples(1), end: secToSamples(5.5) } },
  { speaker: 'SPEAKER_00', range: { start: secToSamples(5), end: secToSamples(6) } },
];

const parse = (fields: object) => parseJobInput({ audio_url: 'https://a.example/a', ...fields });
const documentOf = (fields: object): string => {
  const transcript = fakeTranscript({ segments: SEGMENTS, turns: TURNS });
  return toJobResult(transcript, parse(fields), { totalMs: 0, stagesMs: {} }).formatted!;
};
const linesOf = (document: string): string[] => document.trim().split('\n').slice(2);

test('a line of SRT leaves room for its speaker', () => {
  const lines = linesOf(documentOf({ output_format: 'srt' }));
  expect(lines[0]).toMatch(/^\[SPEAKER_01\]: Please/);
  expect(Math.max(...lines.map(widthOf))).toBeLessThanOrEqual(42);
});

test('width, lines and labels of subtitles are as asked for', () => {
  const subtitle = { max_line_width: 30, max_lines: 1, speaker_labels: false, min_cue_sec: 1 };
  for (const output_format of ['srt', 'vtt']) {
    const document = documentOf({ output_format, subtitle });
    const cues = document.split('\n\n').map((cue) => cue.split('\n').at(-1)!);
    expect(document).not.toContain('SPEAKER');
    expect(Math.max(...cues.map(widthOf))).toBeLessThanOrEqual(30);
  }
});

test('VTT names its speakers, and times each word on request', () => {
  expect(documentOf({ output_format: 'vtt' })).toContain('<v SPEAKER_01>Please');
  const timed = documentOf({ output_format: 'vtt', subtitle: { word_cues: true } });
  expect(timed).toMatch(/<v SPEAKER_01>Please <00:00:01\.\d{3}>send/);
});

test('RTTM holds the turns, overlap included, under the meeting; CTM its words', () => {
  expect(documentOf({ output_format: 'rttm', meeting_id: 'm 1' })).toBe(
    'SPEAKER m_1 1 1.000 4.500 <NA> <NA> SPEAKER_01 <NA> <NA>\n' +
      'SPEAKER m_1 1 5.000 1.000 <NA> <NA> SPEAKER_00 <NA> <NA>\n',
  );
  expect(documentOf({ output_format: 'ctm' })).toMatch(/^audio 1 1\.000 0\.\d{3} Please 0\.900\n/);
});

test('verbose_json is verbose, by the name of OpenAI', () => {
  const [segment] = toJobResult(fakeTranscript(), parse({ output_format: 'verbose_json' }), {
    totalMs: 0,
    stagesMs: {},
  }).segments;
  expect(segment).toHaveProperty('avg_logprob');
});

test.each([
  [{ subtitle: {} }, 'subtitle: needs the output_format srt or vtt'],
  [
    { subtitle: { word_cues: true }, output_format: 'srt' },
    'subtitle.word_cues: needs the output_format vtt',
  ],
  [
    { subtitle: { min_cue_sec: 5, max_cue_sec: 2 }, output_format: 'srt' },
    'subtitle.min_cue_sec: must not be above max_cue_sec (7 unless set)',
  ],
  [
    { subtitle: { min_cue_sec: 9 }, output_format: 'srt' },
    'subtitle.min_cue_sec: must not be above max_cue_sec (7 unless set)',
  ],
  [{ subtitle: { width: 3 }, output_format: 'srt' }, 'subtitle: unknown field width'],
  [
    { output_format: 'rttm', diarize: false },
    'diarize: must not be false beside settings of speakers or the output_format rttm',
  ],
])('%j is refused', (fields, message) => {
  expect(() => parse(fields)).toThrow(message);
});
