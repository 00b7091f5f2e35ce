import { mkdir, open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import type { DecodeTask } from '../../../audio/decode-task.ts';
import { decodeByFfmpeg } from '../../../audio/ffmpeg-decode.ts';
import { RecordingSpool } from '../../../audio/recording-spool.ts';
import { createSpoolFolder } from '../../../audio/spool.ts';
import { samplesToSec } from '../../../audio/time.ts';
import {
  createWorkbench,
  expectCode,
  FULL_DEVICE,
  runFfmpegForFixture,
  testWithFfmpeg,
  testWithFullDevice,
  type Workbench,
} from '../../fakes/audio-workbench.ts';
import { type LoopbackServer, startLoopbackServer } from '../../fakes/loopback-server.ts';
import { encodeSilence, encodeTones } from '../../fakes/tones.ts';
import { noise, wavBytes } from '../../fakes/wav-bytes.ts';

let bench: Workbench;
let server: LoopbackServer;
let secretEncoding: Promise<void> | undefined;
beforeAll(async () => {
  bench = await createWorkbench();
  server = await startLoopbackServer((_request, response) => response.end('never'));
});
afterEach(() => bench.expectNothingLeft());
afterAll(async () => {
  await server.close();
  await bench.remove();
});

const manifests = (target: string): Record<string, string> => ({
  'an HLS playlist': `#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\n${target}\n#EXT-X-ENDLIST\n`,
  'a DASH manifest':
    '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" ' +
    'mediaPresentationDuration="PT2S" profiles="urn:mpeg:dash:profile:isoff-on-demand:2011">' +
    '<Period><AdaptationSet mimeType="audio/mp4"><Representation id="1" bandwidth="1">' +
    `<BaseURL>${target}</BaseURL></Representation></AdaptationSet></Period></MPD>`,
  'a concat script': `ffconcat version 1.0\nfile '${target}'\n`,
});

test('an empty file is AUDIO_EMPTY', async () => {
  await expectCode(bench.open(await bench.write('empty.wav', '')), 'AUDIO_EMPTY');
});

test('text named .wav is AUDIO_UNSUPPORTED', async () => {
  const path = await bench.write('text.wav', 'This is not audio at all, only a sentence.');
  await expectCode(bench.open(path), 'AUDIO_UNSUPPORTED');
});

test('a web page, a ZIP, a PDF and an image are AUDIO_UNSUPPORTED', async () => {
  for (const content of ['<!doctype html><p>', 'PK\x03\x04aaaaaaaa', '%PDF-1.7', '\x89PNG\r\n']) {
    const path = await bench.write('renamed.wav', Buffer.from(content, 'latin1'));
    await expectCode(bench.open(path), 'AUDIO_UNSUPPORTED');
  }
});

test('a manifest named .wav is refused before ffmpeg sees it', async () => {
  for (const target of [server.url, 'file:///etc/passwd']) {
    for (const manifest of Object.values(manifests(target))) {
      await expectCode(bench.open(await bench.write('list.wav', manifest)), 'AUDIO_UNSUPPORTED');
    }
  }
  expect(server.requests).toEqual([]);
});

for (const prefix of ['', 'RIFF\x24\x10\0\0WAVE', 'ID3\x04\0\0\0\0\0\0']) {
  for (const [kind, manifest] of Object.entries(manifests('TARGET'))) {
    const disguise = prefix === '' ? 'undisguised' : `behind the magic bytes ${prefix.slice(0, 3)}`;
    testWithFfmpeg(`ffmpeg itself opens nothing for ${kind} ${disguise}`, async () => {
      // Without the whitelists ffmpeg 5.1 decodes the local ones.
      const secret = join(bench.root, 'secret.m4a');
      secretEncoding ??= encodeTones({ rateHz: 44_100, layout: 'mono' }, { [secret]: [] });
      await secretEncoding;
      for (const target of [server.url, `file://${secret}`, 'secret.m4a']) {
        const content = prefix + manifest.replace('TARGET', target);
        const path = await bench.write('list.wav', Buffer.from(content, 'latin1'));
        const mediaType = prefix.startsWith('ID3') ? 'mp3' : 'wav';
        await expectCode(decodeDirectly(path, mediaType), 'AUDIO_UNDECODABLE');
      }
      expect(server.requests).toEqual([]);
    });
  }
}

async function decodeDirectly(path: string, mediaType: DecodeTask['mediaType']): Promise<void> {
  const spool = await createSpoolFolder(bench.spoolDir);
  try {
    const output = new RecordingSpool(spool, 'mix');
    const task = { path, mediaType, audioTrack: null, output, workingFolder: spool.path };
    await decodeByFfmpeg(task, bench.limits, new AbortController().signal);
  } finally {
    await spool.remove();
  }
}

testWithFfmpeg('a truncated MP3 gives its decodable part', async () => {
  const whole = join(bench.root, 'whole.mp3');
  await encodeTones({ rateHz: 44_100, layout: 'mono', durationSec: 4 }, { [whole]: [] });
  const bytes = await readFile(whole);
  const half = await bench.write('half.mp3', bytes.subarray(0, bytes.length / 2));
  const waveform = await bench.open(half);
  expect(samplesToSec(waveform.sampleCount)).toBeGreaterThan(1.5);
  expect(samplesToSec(waveform.sampleCount)).toBeLessThan(2.5);
  await waveform.close();
});

testWithFfmpeg('an MP4 cut before its index is AUDIO_UNDECODABLE', async () => {
  const whole = join(bench.root, 'whole.m4a');
  await encodeTones({ rateHz: 44_100, layout: 'mono' }, { [whole]: [] });
  const bytes = await readFile(whole);
  const cut = await bench.write('cut.m4a', bytes.subarray(0, bytes.length / 2));
  await expectCode(bench.open(cut), 'AUDIO_UNDECODABLE');
});

testWithFfmpeg('noise behind a signature is AUDIO_UNDECODABLE for every container', async () => {
  const garbage = Buffer.from(noise(4000).buffer);
  const signatures = ['fLaC', 'OggS', '\x1a\x45\xdf\xa3', '\0\0\0\x20ftypM4A ', 'ID3\x04\0\0'];
  for (const signature of signatures) {
    const content = Buffer.concat([Buffer.from(signature, 'latin1'), garbage]);
    await expectCode(bench.open(await bench.write('noise', content)), 'AUDIO_UNDECODABLE');
  }
});

testWithFfmpeg('a video without an audio track is AUDIO_WITHOUT_SOUND', async () => {
  const path = join(bench.root, 'silent.mp4');
  const picture = ['-f', 'lavfi', '-i', 'testsrc=size=64x64:rate=10:duration=1'];
  await runFfmpegForFixture([...picture, '-c:v', 'mpeg4', path]);
  await expectCode(bench.open(path), 'AUDIO_WITHOUT_SOUND');
});

test('a WAV with 0 channels is AUDIO_UNDECODABLE', async () => {
  const path = await bench.write('zero.wav', wavBytes(noise(1600), { claimedChannels: 0 }));
  await expectCode(bench.open(path), 'AUDIO_UNDECODABLE');
});

testWithFfmpeg('a WAV with an absurd number of channels or rate is AUDIO_UNDECODABLE', async () => {
  for (const shape of [{ claimedChannels: 65_535 }, { rateHz: 0 }, { rateHz: 0xffff_ffff }]) {
    const path = await bench.write('lie.wav', wavBytes(noise(1600), shape));
    await expectCode(bench.open(path), 'AUDIO_UNDECODABLE');
  }
});

test('a WAV with a header and no samples is AUDIO_EMPTY', async () => {
  const path = await bench.write('header.wav', wavBytes(new Int16Array(0)));
  await expectCode(bench.open(path), 'AUDIO_EMPTY');
});

testWithFfmpeg('a WAV with a header and no samples is AUDIO_EMPTY for ffmpeg too', async () => {
  const path = await bench.write('header.wav', wavBytes(new Int16Array(0), { rateHz: 8000 }));
  await expectCode(bench.open(path), 'AUDIO_EMPTY');
});

test('a file above the byte limit is AUDIO_TOO_LARGE', async () => {
  const path = await bench.write('large.wav', wavBytes(noise(16_000)));
  await expectCode(bench.open(path, { maxBytes: 1000 }), 'AUDIO_TOO_LARGE');
});

test('a WAV more than a second above the length limit is AUDIO_TOO_LONG', async () => {
  const path = await bench.write('long.wav', wavBytes(noise(48_000)));
  await expectCode(bench.open(path, { maxSec: 1.99 }), 'AUDIO_TOO_LONG');
  await (await bench.open(path, { maxSec: 2 })).close();
});

testWithFfmpeg('compressed audio above the length limit stops decoding early', async () => {
  const path = join(bench.root, 'long.flac');
  await encodeSilence(path, 120);
  await expectCode(bench.open(path, { maxSec: 5 }), 'AUDIO_TOO_LONG');
  await expectCode(bench.open(path, { maxSec: 118.9 }), 'AUDIO_TOO_LONG');
  await (await bench.open(path, { maxSec: 119 })).close();
});

testWithFullDevice('a full disk is DISK_FULL', async () => {
  const path = await bench.write('tone.wav', wavBytes(noise(16_000), { rateHz: 8000 }));
  const handle = await open(FULL_DEVICE, 'r+');
  const createFile = async () => ({ path: FULL_DEVICE, handle });
  const output = new RecordingSpool({ createFile }, 'mix');
  const files = { path, mediaType: 'wav', workingFolder: bench.root } as const;
  const task = { ...files, audioTrack: null, output };
  const { signal } = new AbortController();
  await expectCode(decodeByFfmpeg(task, bench.limits, signal), 'DISK_FULL');
  await handle.close();
});

test('a folder named like audio is refused', async () => {
  await mkdir(join(bench.root, 'folder.wav'));
  await expectCode(bench.open('folder.wav'), 'PATH_FORBIDDEN');
});
