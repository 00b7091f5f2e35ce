import { mkdir, readdir, readFile, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { SttError } from '../../../core/errors.ts';
import type { JobServices } from '../../../handler/run-job.ts';
import { harness, TRANSCRIPT } from './local-harness.ts';

const failFor =
  (ending: string): JobServices['openAudio'] =>
  async (source) => {
    if (source.kind === 'path' && source.path.endsWith(ending)) {
      throw new SttError('AUDIO_EMPTY', 'The audio has 0 bytes');
    }
    return undefined as never;
  };

test('a file is read from its own folder, wherever a link to it lies', async () => {
  const { run, services, engine, cwd, fileWith } = await harness();
  await mkdir(join(cwd, 'elsewhere'));
  const real = await fileWith('elsewhere/talk.wav');
  await symlink(real, join(cwd, 'link.wav'));
  expect(await run('link.wav', '--language', 'korean', '--task', 'translate')).toBe(0);
  expect(services.sources).toEqual([{ kind: 'path', path: real }]);
  expect(engine.roots).toEqual([join(cwd, 'elsewhere')]);
  expect(services.optionsSeen[0]).toMatchObject({
    transcribe: { language: 'ko', task: 'translate' },
  });
});

test('several files give a line of JSON each, in order, with their names', async () => {
  const { run, stdout, fileWith } = await harness();
  const names = ['a.wav', 'b.wav', 'c.wav', 'd.wav', 'e.wav'];
  for (const name of names) await fileWith(name);
  expect(await run(...names)).toBe(0);
  const results = stdout.lines.map((line) => JSON.parse(line));
  expect(results.map(({ file }) => file)).toEqual(names);
  expect(results.map(({ transcript }) => transcript)).toEqual(names.map(() => TRANSCRIPT));
});

test('a failed file does not stop the others', async () => {
  const { run, stdout, stderr, fileWith } = await harness({
    services: { openAudio: failFor('b.wav') },
  });
  for (const name of ['a.wav', 'b.wav', 'c.wav']) await fileWith(name);
  expect(await run('a.wav', 'b.wav', 'c.wav')).toBe(1);
  const results = stdout.lines.map((line) => JSON.parse(line));
  expect(results.map(({ transcript, error }) => error?.code ?? transcript)).toEqual([
    TRANSCRIPT,
    'AUDIO_EMPTY',
    TRANSCRIPT,
  ]);
  expect(stderr.text).toContain('b.wav: AUDIO_EMPTY: The audio has 0 bytes\n');
});

test('another format is written as it is, and a failure not at all', async () => {
  const { run, stdout, fileWith } = await harness({ services: { openAudio: failFor('a.wav') } });
  await fileWith('a.wav');
  await fileWith('b.wav');
  expect(await run('a.wav', 'b.wav', '--format', 'text')).toBe(1);
  expect(stdout.text).toBe('And so\nmy fellow Americans\n');
});

test('--out writes a file for each and prints their paths', async () => {
  const { run, stdout, cwd, fileWith } = await harness({
    services: { openAudio: failFor('broken.wav') },
  });
  await mkdir(join(cwd, 'b'));
  for (const name of ['a.talk.wav', 'b/a.talk.mp3', 'broken.wav']) await fileWith(name);
  const argv = ['a.talk.wav', 'b/a.talk.mp3', 'broken.wav', '--format', 'srt', '--out', 'x/y'];
  expect(await run(...argv)).toBe(1);
  expect(stdout.text).toBe('x/y/a.talk.srt\nx/y/a.talk-2.srt\n');
  expect((await readdir(join(cwd, 'x/y'))).toSorted()).toEqual(['a.talk-2.srt', 'a.talk.srt']);
  expect(await readFile(join(cwd, 'x/y/a.talk.srt'), 'utf8')).toMatch(/^1\n00:00:00,000 --> /);
});

test('a folder that cannot be written is a failure', async () => {
  const { run, stdout, stderr, fileWith } = await harness();
  await fileWith('a.wav');
  await fileWith('taken');
  expect(await run('a.wav', '--out', 'taken')).toBe(1);
  expect(stderr.text).toContain('a.wav: the result could not be written');
  expect(stdout.text).toBe('');
});

test('where results and progress share a terminal, a result starts on a line of its own', async () => {
  const { run, stdout, stderr, fileWith } = await harness({ isTerminal: true });
  for (const name of ['a.wav', 'b.wav']) await fileWith(name);
  const heard: string[] = [];
  for (const stream of [stdout, stderr]) stream.onText = (text) => heard.push(text);
  await run('a.wav', 'b.wav', '--format', 'text');
  const results = heard.flatMap((text, index) => (text.startsWith('And so') ? [index] : []));
  expect(results).toHaveLength(2);
  for (const index of results) expect(heard[index - 1]).toBe('\r\u001b[K');
});
