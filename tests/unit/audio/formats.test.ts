import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect } from 'vitest';
import { SAMPLE_RATE_HZ, samplesToSec } from '../../../audio/time.ts';
import { createWorkbench, testWithFfmpeg, type Workbench } from '../../fakes/audio-workbench.ts';
import { dominantHz, encodeTones, TONE_HZ, type ToneShape } from '../../fakes/tones.ts';

const TONE_SEC = 2;

const FORMATS: Record<string, readonly string[]> = {
  'tone.wav': [],
  'tone.mp3': ['-c:a', 'libmp3lame'],
  'tone.m4a': ['-c:a', 'aac'],
  'tone.flac': ['-c:a', 'flac'],
  'tone.ogg': ['-c:a', 'libvorbis'],
  'tone.webm': ['-c:a', 'libopus'],
  'tone.mp4': ['-map', '1:v', '-c:a', 'aac', '-c:v', 'mpeg4'],
};
const SHAPES: readonly ToneShape[] = [
  { rateHz: 8000, layout: 'mono' },
  { rateHz: 44_100, layout: 'stereo' },
  { rateHz: 48_000, layout: '5.1' },
];
const UNUSUAL: Record<string, readonly string[]> = {
  'opus.ogg': ['-c:a', 'libopus'],
  'fragmented.mp4': ['-c:a', 'aac', '-movflags', 'frag_keyframe+empty_moov'],
  'alac.m4a': ['-c:a', 'alac'],
  'phone.3gp': ['-c:a', 'aac'],
  'phone.mov': ['-c:a', 'pcm_s16be'],
  'telephone.wav': ['-c:a', 'pcm_mulaw'],
  'deep.wav': ['-c:a', 'pcm_s24le'],
  'lossless.mkv': ['-c:a', 'flac'],
  'broadcast.aac': ['-c:a', 'aac'],
  'mac.aiff': [],
  'mac.caf': ['-c:a', 'alac'],
  'windows.wma': ['-c:a', 'wmav2'],
  'windows.avi': ['-map', '1:v', '-c:v', 'mpeg4', '-c:a', 'libmp3lame'],
  'broadcast.ts': ['-c:a', 'aac'],
  'studio.w64': ['-c:a', 'pcm_s24le'],
  'g722.wav': ['-c:a', 'g722', '-ar', '16000'],
  'g726.wav': ['-c:a', 'g726', '-ar', '8000'],
  'g723.wav': ['-c:a', 'g723_1', '-ar', '8000', '-b:a', '6300'],
  'layer2.mp3': ['-c:a', 'mp2', '-f', 'mp2'],
};

let bench: Workbench;
beforeAll(async () => {
  bench = await createWorkbench();
});
afterAll(() => bench.remove());

async function expectTone(path: string): Promise<void> {
  const waveform = await bench.open(path);
  expect(Math.abs(samplesToSec(waveform.sampleCount) - TONE_SEC)).toBeLessThanOrEqual(0.05);
  const middle = await waveform.read({ start: SAMPLE_RATE_HZ / 2, end: SAMPLE_RATE_HZ });
  expect(dominantHz(middle, SAMPLE_RATE_HZ)).toBe(TONE_HZ);
  expect(Math.max(...middle)).toBeGreaterThan(0.2);
  await waveform.close();
  await bench.expectNothingLeft();
}

/** One test a file; the first one encodes them all. */
function testTones(shape: ToneShape, formats: Record<string, readonly string[]>): void {
  const pathOf = (name: string): string => join(bench.root, `${shape.rateHz}-${name}`);
  let encoding: Promise<void> | undefined;
  const encodeAll = (): Promise<void> => {
    const outputs = Object.entries(formats).map(([name, argv]) => [pathOf(name), argv]);
    encoding ??= encodeTones({ ...shape, durationSec: TONE_SEC }, Object.fromEntries(outputs));
    return encoding;
  };
  for (const name of Object.keys(formats)) {
    const title = `${name} at ${shape.rateHz} Hz ${shape.layout} keeps its length and its tone`;
    testWithFfmpeg(title, async () => {
      await encodeAll();
      await expectTone(pathOf(name));
    });
  }
}

const { 'tone.mp3': mp3 = [], ...surroundFormats } = FORMATS;
for (const shape of SHAPES) testTones(shape, shape.layout === '5.1' ? surroundFormats : FORMATS);
// MP3 has no more than two channels.
testTones({ rateHz: 48_000, layout: 'stereo' }, { 'tone.mp3': mp3 });
testTones({ rateHz: 48_000, layout: 'mono' }, UNUSUAL);

testWithFfmpeg('the format is recognised by content, whatever the file is called', async () => {
  const path = join(bench.root, 'right.mp3');
  await encodeTones({ rateHz: 44_100, layout: 'mono' }, { [path]: [] });
  const waveform = await bench.open(await bench.write('wrong.wav', await readFile(path)));
  expect(Math.abs(samplesToSec(waveform.sampleCount) - TONE_SEC)).toBeLessThanOrEqual(0.05);
  await waveform.close();
});
