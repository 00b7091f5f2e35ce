import { execFile } from 'node:child_process';
import { mkdir, rm, symlink, writeFile } from 'node:fs/promises';
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
  await expectCode(openBase64('data:'), 'AUDIO_EMPTY'); // A file reader's, of an empty blob.
  await expectCode(openBase64(' \n'), 'AUDIO_EMPTY');
});

test('base64 is understood as clients write it', async () => {
  const odd = Buffer.concat([AUDIO, Buffer.alloc(1)]); // Needs padding.
  const good = odd.toString('base64');
  const written = {
    'lines as in mail': good.replace(/.{76}/g, '$&\r\n'),
    'lines of an odd length, indented': good.replace(/.{77}/g, '$&\n  '),
    'a line break at the end': `${good}\n`,
    'blanks around it': `  ${good} `,
    'no padding': good.replace(/=+$/, ''),
    'half of the padding': good.replace(/==$/, '='),
    'padding on a line of its own': good.replace('==', '=\n=\n'),
    'letters for URLs': odd.toString('base64url'),
    'both alphabets': odd.toString('base64').replace('+', '-'),
    'a data URI of any type': `data:text/html;base64,${good}`,
    'a data URI without a type': `data:;base64,${good}`,
    'a data URI of a recorder': `data:audio/webm;codecs=opus;base64,${good}`,
    'a data URI with a quoted list': `data:video/webm; codecs="vp8, opus"; base64, ${good}`,
    'a data URI in capitals behind a blank': ` DATA:AUDIO/WAV;BASE64,${good}`,
  };
  for (const [how, data] of Object.entries(written)) {
    const waveform = await openBase64(data);
    const decoded = await waveform.read({ start: 0, end: waveform.sampleCount });
    const isSame = decoded.every((value, sample) => value * 32_768 === SAMPLES[sample]);
    expect([how, decoded.length, isSame]).toEqual([how, SAMPLES.length, true]);
    await waveform.close();
  }
});

test('base64 that has lost something is INPUT_INVALID', async () => {
  const good = AUDIO.toString('base64');
  const plus = good.indexOf('+');
  const bad = {
    'a lost character': `${good.slice(0, 4)}${good.slice(5)}`,
    'a blank, as forms write a plus': `${good.slice(0, plus)} ${good.slice(plus + 1)}`,
    'a foreign character': `${good.slice(0, 300_000)}*${good.slice(300_001)}`,
    'padding in the middle': `${good.slice(0, 2)}==${good}`,
    'too much padding': 'A===',
    'padding behind whole bytes': 'AAAA=',
    'unused bits that are set': 'UklGRh==',
    'unused bits that are set, without padding': 'UklGRh',
    'a data URI without base64': 'data:audio/wav,aaaa',
  };
  for (const data of Object.values(bad)) await expectCode(openBase64(data), 'INPUT_INVALID');
});

test('the size of base64 is judged to the byte', async () => {
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

test('a name in either Unicode normalization is the same file', async () => {
  const names = ['회의/녹음 1.wav', 'Réunion/Übersicht.wav', 'か\u3099/は\u309a.wav'];
  for (const name of names) {
    for (const form of ['NFC', 'NFD'] as const) {
      const stored = name.normalize(form);
      await mkdir(join(bench.root, stored, '..'), { recursive: true });
      const path = await bench.write(stored, AUDIO);
      const [folder = '', file = ''] = name.split('/');
      const mixed = `${folder.normalize('NFD')}/${file.normalize('NFC')}`;
      for (const asked of [name.normalize('NFC'), name.normalize('NFD'), mixed]) {
        await (await bench.open(asked)).close();
        await (await bench.open(join(bench.root, asked))).close();
      }
      await rm(path);
    }
  }
});

test('of two names that are the same but for their normalization, each is its own file', async () => {
  const longer = wavBytes(SAMPLES.subarray(0, 1000));
  await bench.write('é.wav'.normalize('NFC'), AUDIO);
  await bench.write('é.wav'.normalize('NFD'), longer);
  for (const [form, count] of [
    ['NFC', SAMPLES.length],
    ['NFD', 1000],
  ] as const) {
    const waveform = await bench.open('é.wav'.normalize(form));
    expect(waveform.sampleCount).toBe(count);
    await waveform.close();
  }
});

test('a name is not looked for in folders outside the root', async () => {
  const outside = join(bench.folder, 'outside');
  await mkdir(outside);
  await writeFile(join(outside, 'é.wav'.normalize('NFD')), AUDIO);
  await symlink(outside, join(bench.root, 'ö'.normalize('NFD')));
  const there = await expectCode(bench.open('ö/é.wav'.normalize('NFC')), 'PATH_FORBIDDEN');
  const missing = await expectCode(bench.open('ö/ü.wav'.normalize('NFC')), 'PATH_FORBIDDEN');
  expect(there.message).toBe(missing.message);
  await expectCode(bench.open('없음.wav'), 'AUDIO_NOT_FOUND');
  await expectCode(bench.open('../é.wav'), 'PATH_FORBIDDEN');
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
