import Fastify, { type FastifyInstance } from 'fastify';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { SttError } from '../../../core/errors.ts';
import { addFormatRoute } from '../../../handler/http/format-route.ts';

let app: FastifyInstance;

beforeAll(async () => {
  app = Fastify({ bodyLimit: 10 * 1024 * 1024 });
  app.setErrorHandler((thrown, _, reply) => {
    const error = SttError.from(thrown);
    return reply.code(error.httpStatus).send({ error: error.toJSON() });
  });
  addFormatRoute(app);
  await app.ready();
});

afterAll(() => app.close());

const post = (payload: object) => app.inject({ method: 'POST', url: '/stt/format', payload });

const SEGMENT = {
  start: 0,
  end: 1.5,
  text: '안녕하세요 반갑습니다.',
  speaker: 'SPEAKER_00',
  confidence: 0.9,
  words: [
    { word: '안녕하세요', start: 0, end: 0.7, confidence: 0.9, speaker: 'SPEAKER_00' },
    { word: '반갑습니다.', start: 0.7, end: 1.5, confidence: 0.8, speaker: 'SPEAKER_00' },
  ],
};

test.each([
  ['text', 'text/plain; charset=utf-8', '[SPEAKER_00]: 안녕하세요 반갑습니다.\n'],
  [
    'srt',
    'application/x-subrip; charset=utf-8',
    '1\n00:00:00,000 --> 00:00:01,500\n[SPEAKER_00]: 안녕하세요 반갑습니다.\n',
  ],
  [
    'vtt',
    'text/vtt; charset=utf-8',
    'WEBVTT\n\n00:00:00.000 --> 00:00:01.500\n<v SPEAKER_00>안녕하세요 반갑습니다.\n',
  ],
  [
    'rttm',
    'text/plain; charset=utf-8',
    'SPEAKER weekly 1 0.000 1.500 <NA> <NA> SPEAKER_00 <NA> <NA>\n',
  ],
  [
    'ctm',
    'text/plain; charset=utf-8',
    'weekly 1 0.000 0.700 안녕하세요 0.900\nweekly 1 0.700 0.800 반갑습니다. 0.800\n',
  ],
])('the segments of a result are written as %s', async (output_format, type, expected) => {
  const answer = await post({ segments: [SEGMENT], output_format, recording: 'weekly' });
  expect(answer.statusCode).toBe(200);
  expect(answer.headers['content-type']).toBe(type);
  expect(answer.body).toBe(expected);
});

test('what else a segment has, such as diagnostics, is left out', async () => {
  const verbose = { ...SEGMENT, avg_logprob: -0.1, tokens: [1, 2] };
  const answer = await post({ segments: [verbose], output_format: 'text' });
  expect(answer.body).toBe('[SPEAKER_00]: 안녕하세요 반갑습니다.\n');
});

test('subtitle settings are those of a job', async () => {
  const subtitle = { max_line_width: 16, max_lines: 1, speaker_labels: false };
  const answer = await post({ segments: [SEGMENT], output_format: 'srt', subtitle });
  expect(answer.body.match(/ --> /g)).toHaveLength(2);
  expect(answer.body).not.toContain('SPEAKER');
});

test.each([
  [{ output_format: 'text' }, 'segments: Invalid input: expected array, received undefined'],
  [{ segments: [], output_format: 'json' }, 'output_format: '],
  [{ segments: [], output_format: 'srt', fields: 1 }, 'unknown field fields'],
  [
    { segments: [], output_format: 'srt', subtitle: { min_cue_sec: 9 } },
    'subtitle.min_cue_sec: must not be above max_cue_sec (7 unless set)',
  ],
  [
    { segments: [SEGMENT, { ...SEGMENT, start: -1 }], output_format: 'srt' },
    'segments[1].start: Too small',
  ],
  [
    { segments: [{ ...SEGMENT, text: '가'.repeat(20_001) }], output_format: 'srt' },
    'segments[0].text: Too big: expected string to have <=20000 characters',
  ],
  [
    { segments: Array.from({ length: 50_001 }, () => null), output_format: 'srt' },
    'segments: Too big: expected array to have <=50000 items',
  ],
  [
    { segments: [{ ...SEGMENT, words: Array(5001).fill(SEGMENT.words[0]) }], output_format: 'srt' },
    'segments[0].words: Too big: expected array to have <=5000 items',
  ],
])('a bad request is refused by the name of its field (%#)', async (payload, message) => {
  const answer = await post(payload);
  expect(answer.statusCode).toBe(400);
  expect(answer.json()).toMatchObject({ error: { code: 'INPUT_INVALID' } });
  expect(answer.json().error.message).toContain(message);
});

test('a refusal names a few faults, and never a value', async () => {
  const segment = { ...SEGMENT, words: Array(3000).fill({ word: 'secret', start: 'x' }) };
  const answer = await post({ segments: [segment], output_format: 'srt' });
  expect(answer.statusCode).toBe(400);
  expect(answer.body).not.toContain('secret');
  expect(answer.body.length).toBeLessThan(2000);
});

/** Turns of the event loop that pass until the answer is there. */
async function turnsWhile(answering: Promise<unknown>): Promise<number> {
  let turns = 0;
  let isDone = false;
  const count = (): void => {
    turns += 1;
    if (!isDone) setImmediate(count);
  };
  setImmediate(count);
  await answering;
  isDone = true;
  return turns;
}

test('other requests go on while a day of meetings is looked at and written', async () => {
  const later = (index: number) => ({
    ...SEGMENT,
    start: index * 7,
    end: index * 7 + 1.5,
    words: SEGMENT.words.map((word) => ({
      ...word,
      start: word.start + index * 7,
      end: word.end + index * 7,
    })),
  });
  const segments = Array.from({ length: 4000 }, (_, index) => later(index));
  const short = await turnsWhile(post({ segments: segments.slice(0, 1), output_format: 'srt' }));
  const answering = post({ segments, output_format: 'srt' });
  expect(await turnsWhile(answering)).toBeGreaterThan(short + 1);
  expect((await answering).body.match(/ --> /g)).toHaveLength(4000);
});
