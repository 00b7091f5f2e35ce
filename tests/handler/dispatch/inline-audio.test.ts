import { mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { inlineLocalAudio } from '../../../handler/dispatch/inline-audio.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'inline-audio-'));
  await writeFile(join(folder, 'a.wav'), 'RIFF');
  await writeFile(join(folder, 'large.wav'), '');
  await truncate(join(folder, 'large.wav'), 7_500_000);
});
afterAll(() => rm(folder, { recursive: true }));

test('a file travels inside the job; other fields stay', async () => {
  const input = { audio_url: 'a.wav', language: 'ko' };
  expect(await inlineLocalAudio(input, folder)).toEqual({
    audio_base64: Buffer.from('RIFF').toString('base64'),
    language: 'ko',
  });
});

test.each([
  { audio_url: 'https://example.com/a.wav' },
  { audio_url: 'data:audio/wav;base64,UklGRg==' },
  { audio_base64: 'UklGRg==' },
  { audio_url: '' },
  { audio_url: 7 },
  'text',
  null,
])('%j stays as it is', async (input) => {
  expect(await inlineLocalAudio(input, folder)).toBe(input);
});

test('a file that is not there is an error', async () => {
  await expect(inlineLocalAudio({ audio_url: 'b.wav' }, folder)).rejects.toMatchObject({
    code: 'AUDIO_NOT_FOUND',
  });
});

test('a file too large for a job is refused before it is read', async () => {
  await expect(inlineLocalAudio({ audio_url: 'large.wav' }, folder)).rejects.toMatchObject({
    code: 'AUDIO_TOO_LARGE',
    message: expect.stringContaining('audio_url'),
  });
});
