import { execFile } from 'node:child_process';
import { mkdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { loadConfig } from '../../../core/config.ts';
import { createWorkbench, expectCode, type Workbench } from '../../fakes/audio-workbench.ts';
import { noise, wavBytes } from '../../fakes/wav-bytes.ts';

/** As loud as speech: it stays as it is. */
const SAMPLES = noise(300_000).map((sample) => sample / 8);
const AUDIO = wavBytes(SAMPLES);

let bench: Workbench;
beforeEach(async () => {
  bench = await createWorkbench();
});
afterEach(async () => {
  await bench.expectNothingLeft().finally(bench.remove);
});

const openBase64 = (data: string, maxBytes = 8_000_000) =>
  bench.open({ kind: 'base64', data }, { maxBytes });

test('base64 in several pieces gives exactly the samples that were encoded', async () => {
  const waveform = await openBase64(AUDIO.toString('base64'));
  const decoded = await waveform.read({ start: 0, end: waveform.sampleCount });
  expect(decoded.every((value, sample) => value * 32_768 === SAMPLES[sample])).toBe(true);
  expect(decoded.length).toBe(SAMPLES.length);
  await waveform.close();
});

test('a data URI of a recorder or a file reader is accepted', async () => {
  const types = ['audio/wav', 'audio/webm;codecs=opus', 'video/mp4', 'application/octet-stream'];
  for (const type of types) {
    const waveform = await openBase64(`data:${type};base64,${AUDIO.toString('base64')}`);
    expect(waveform.sampleCount).toBe(SAMPLES.length);
    await waveform.close();
  }
});

test('every length of padding is accepted', async () => {
  for (const extraBytes of [0, 1, 2]) {
    const padded = Buffer.concat([AUDIO, Buffer.alloc(extraBytes)]);
    await (await openBase64(padded.toString('base64'))).close();
  }
});

test('nothing is AUDIO_EMPTY', async () => {
  await expectCode(openBase64(''), 'AUDIO_EMPTY');
  await expectCode(openBase64('data:audio/wav;base64,'), 'AUDIO_EMPTY');
});

test('anything but strict base64 is INPUT_INVALID', async () => {
  const good = AUDIO.toString('base64');
  const bad = {
    'a lost character': good.slice(1),
    'a line break': `${good.slice(0, 76)}\n${good.slice(77)}`,
    'a character of base64url': `${good.slice(0, 300_000)}-${good.slice(300_001)}`,
    'padding in the middle': `${good.slice(0, 2)}==${good}`,
    'too much padding': 'A===',
    'unused bits that are set': 'UklGRh==',
    'another data URI': `data:text/html;base64,${good}`,
    'a data URI without base64': 'data:audio/wav,aaaa',
  };
  for (const data of Object.values(bad)) await expectCode(openBase64(data), 'INPUT_INVALID');
});

test('the size of base64 is judged before it is decoded, to the byte', async () => {
  const data = AUDIO.toString('base64');
  await expectCode(openBase64(data, AUDIO.length - 1), 'AUDIO_TOO_LARGE');
  await (await openBase64(data, AUDIO.length)).close();
});

test('a path may be relative to the root or absolute below it', async () => {
  await mkdir(join(bench.root, 'deep'));
  const path = await bench.write('deep/tone 한국어 -i.wav', AUDIO);
  for (const asked of [path, 'deep/tone 한국어 -i.wav', './deep/../deep/tone 한국어 -i.wav']) {
    const waveform = await bench.open(asked);
    expect(waveform.sampleCount).toBe(SAMPLES.length);
    await waveform.close();
  }
});

test('without a root every path is PATH_FORBIDDEN, and the message names the setting', async () => {
  const path = await bench.write('tone.wav', AUDIO);
  const error = await expectCode(bench.open(path, { root: undefined }), 'PATH_FORBIDDEN');
  expect(error.message).toContain('AUDIO_ROOT');
});

test('a missing file is AUDIO_NOT_FOUND', async () => {
  await bench.write('tone.wav', AUDIO);
  await expectCode(bench.open('missing.wav'), 'AUDIO_NOT_FOUND');
  await expectCode(bench.open('tone.wav/inside'), 'AUDIO_NOT_FOUND');
});

test('no path leads out of the root, whether its target exists or not', async () => {
  await mkdir(`${bench.root}-sibling`);
  const outside = ['../secret', '/etc/passwd', '/nowhere', `${bench.root}-sibling`, 'a/../../b'];
  for (const path of outside) await expectCode(bench.open(path), 'PATH_FORBIDDEN');
  await expectCode(bench.open('tone\0.wav'), 'PATH_FORBIDDEN');
});

test('a file whose name begins with two dots is inside', async () => {
  await bench.write('..tone.wav', AUDIO);
  await (await bench.open('..tone.wav')).close();
});

test('a symlink that leaves the root is refused, one that stays is followed', async () => {
  const path = await bench.write('tone.wav', AUDIO);
  await symlink('/etc/passwd', join(bench.root, 'out.wav'));
  await symlink('/etc', join(bench.root, 'etc'));
  await symlink(path, join(bench.root, 'in.wav'));
  await symlink('loop.wav', join(bench.root, 'loop.wav'));
  await expectCode(bench.open('out.wav'), 'PATH_FORBIDDEN');
  await expectCode(bench.open('etc/passwd'), 'PATH_FORBIDDEN');
  await expectCode(bench.open('loop.wav'), 'PATH_FORBIDDEN');
  await (await bench.open('in.wav')).close();
});

test('a root that is itself a symlink works', async () => {
  await bench.write('tone.wav', AUDIO);
  const root = join(bench.folder, 'alias');
  await symlink(bench.root, root);
  await (await bench.open(join(root, 'tone.wav'), { root })).close();
  await (await bench.open('tone.wav', { root })).close();
});

test('the root itself, a folder and a pipe are refused without waiting', async () => {
  await promisify(execFile)('mkfifo', [join(bench.root, 'pipe.wav')]);
  for (const path of ['.', '', 'pipe.wav']) await expectCode(bench.open(path), 'PATH_FORBIDDEN');
});

test('the source of a path stays where it is', async () => {
  const path = await bench.write('tone.wav', AUDIO);
  await (await bench.open(path)).close();
  await (await bench.open(path)).close();
});

test('the audio section of the configuration is a set of limits', async () => {
  await bench.write('tone.wav', AUDIO);
  const { audio } = loadConfig({ AUDIO_ROOT: bench.root, SPOOL_DIR: bench.spoolDir });
  await (await bench.open('tone.wav', audio)).close();
});
