import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { SAMPLE_RATE_HZ } from '../../../audio/time.ts';
import type { Waveform } from '../../../audio/waveform.ts';
import {
  createWorkbench,
  expectCode,
  runFfmpegForFixture,
  testWithFfmpeg,
  type Workbench,
} from '../../fakes/audio-workbench.ts';
import { dominantHz } from '../../fakes/tones.ts';
import { noise, wavBytes } from '../../fakes/wav-bytes.ts';

let bench: Workbench;
beforeAll(async () => {
  bench = await createWorkbench();
});
afterAll(() => bench.remove());

/** A tone of 16 bits or of float, so loud, in some of the channels. */
function toneIn(channelCount: number, spoken: Readonly<Record<number, number>>, level = 0.2) {
  const length = channelCount * SAMPLE_RATE_HZ;
  return Float32Array.from({ length }, (_, i) => {
    const hz = spoken[i % channelCount];
    const time = Math.floor(i / channelCount) / SAMPLE_RATE_HZ;
    return hz === undefined ? 0 : level * Math.sin(2 * Math.PI * hz * time);
  });
}

async function middleOf(waveform: Waveform): Promise<Float32Array> {
  return await waveform.read({ start: 4000, end: 12_000 });
}

for (const channelCount of [2, 6, 9, 10, 12, 32]) {
  for (const [reader, rateHz] of [
    ['directly', 16_000],
    ['by ffmpeg', 44_100],
  ] as const) {
    testWithFfmpeg(
      `a voice on the last of ${channelCount} channels is heard, read ${reader}`,
      async () => {
        const samples = toneIn(channelCount, { [channelCount - 1]: 440 });
        const path = await bench.write('many.wav', wavBytes(samples, { channelCount, rateHz }));
        const waveform = await bench.open(path);
        const middle = await waveform.read({ start: 1000, end: 5000 });
        expect(dominantHz(middle, SAMPLE_RATE_HZ)).toBe(rateHz === 16_000 ? 440 : 1210);
        expect(Math.max(...middle)).toBeGreaterThan(0.18 / channelCount);
        await waveform.close();
      },
    );
  }
}

testWithFfmpeg(
  'a voice on the fourth of six tracks without a layout is heard, in MP4 and Matroska too',
  async () => {
    const wav = await bench.write('six.wav', wavBytes(toneIn(6, { 3: 440 }), { channelCount: 6 }));
    for (const [name, codec] of [
      ['six.mkv', 'pcm_s16le'],
      ['six.flac', 'flac'],
    ] as const) {
      const path = join(bench.root, name);
      await runFfmpegForFixture(['-guess_layout_max', '0', '-i', wav, '-c:a', codec, path]).catch(
        () => runFfmpegForFixture(['-i', wav, '-c:a', codec, path]),
      );
      const waveform = await bench.open(path);
      expect(waveform.sampleCount).toBe(SAMPLE_RATE_HZ);
      await waveform.close();
    }
  },
);

testWithFfmpeg('stereo of opposite phase is heard in every container', async () => {
  const left = toneIn(1, { 0: 440 });
  const stereo = Float32Array.from({ length: 2 * left.length }, (_, i) =>
    i % 2 === 0 ? left[i >> 1]! : -left[i >> 1]!,
  );
  const wav = await bench.write('opposite.wav', wavBytes(stereo, { channelCount: 2 }));
  const outputs = { 'opposite.m4a': 'aac', 'opposite.ogg': 'libvorbis', 'opposite.flac': 'flac' };
  for (const [name, codec] of Object.entries(outputs)) {
    await runFfmpegForFixture(['-i', wav, '-c:a', codec, '-ar', '44100', join(bench.root, name)]);
  }
  for (const name of ['opposite.wav', ...Object.keys(outputs)]) {
    const waveform = await bench.open(join(bench.root, name));
    const middle = await middleOf(waveform);
    expect(dominantHz(middle, SAMPLE_RATE_HZ)).toBe(440);
    expect(Math.max(...middle)).toBeGreaterThan(0.15);
    await waveform.close();
  }
});

test('quiet float samples keep their precision, and are raised', async () => {
  const path = await bench.write('quiet.wav', wavBytes(toneIn(1, { 0: 440 }, 1e-4)));
  const waveform = await bench.open(path);
  const middle = await middleOf(waveform);
  const peak = Math.max(...middle);
  const rounded = middle.map(
    (sample, i) => sample - peak * Math.sin((2 * Math.PI * 440 * (i + 4000)) / SAMPLE_RATE_HZ),
  );
  expect(peak).toBeGreaterThan(5e-4);
  expect(Math.max(...rounded) / peak).toBeLessThan(0.01);
  await waveform.close();
});

test('channels asked for separately are waveforms of their own, and their mean is the whole', async () => {
  const path = await bench.write(
    'call.wav',
    wavBytes(toneIn(2, { 0: 440, 1: 700 }), { channelCount: 2 }),
  );
  const recording = await bench.open(path, {}, undefined, { channels: 'separate' });
  const [left, right] = await Promise.all((recording.channels ?? []).map(middleOf));
  expect(recording.channels).toHaveLength(2);
  expect(dominantHz(left!, SAMPLE_RATE_HZ)).toBe(440);
  expect(dominantHz(right!, SAMPLE_RATE_HZ)).toBe(700);
  const both = await middleOf(recording);
  expect(both[100]).toBeCloseTo((left![100]! + right![100]!) / 2, 6);
  await recording.close();
  await bench.expectNothingLeft();
});

test('what comes over from a loud channel is not raised in a quiet one, its own speech is', async () => {
  const [loud, own, over] = [0.2, 0.002, 0.0005];
  const second = (left: number, right: number) =>
    Float32Array.from({ length: 8 * SAMPLE_RATE_HZ }, (_, i) => {
      const tone = Math.sin((2 * Math.PI * 440 * (i >> 1)) / SAMPLE_RATE_HZ);
      const pause = (i >> 1) % 8000 < 4000 ? 0 : 1;
      return pause * tone * (i % 2 === 0 ? left : right);
    });
  const samples = Float32Array.from([...second(loud, over), ...second(0, own)]);
  const path = await bench.write('crosstalk.wav', wavBytes(samples, { channelCount: 2 }));
  const recording = await bench.open(path, {}, undefined, { channels: 'separate' });
  const right = recording.channels![1]!;
  const peakOf = async (start: number) =>
    Math.max(...(await right.read({ start, end: start + SAMPLE_RATE_HZ })));
  expect(await peakOf(SAMPLE_RATE_HZ)).toBeLessThan(0.005);
  expect(await peakOf(6 * SAMPLE_RATE_HZ)).toBeGreaterThan(0.02);
  await recording.close();
});

test('more channels than are allowed are AUDIO_UNSUPPORTED: 64 for a mix, 8 separately', async () => {
  const write = (channelCount: number) =>
    bench.write('many.wav', wavBytes(noise(channelCount * 100), { channelCount }));
  await expectCode(bench.open(await write(65)), 'AUDIO_UNSUPPORTED');
  await (await bench.open(await write(64))).close();
  const separate = { channels: 'separate' } as const;
  const error = await expectCode(
    bench.open(await write(9), {}, undefined, separate),
    'AUDIO_UNSUPPORTED',
  );
  expect(error.message).toMatch(/9 channels, 8/);
  await (await bench.open(await write(8), {}, undefined, separate)).close();
  await bench.expectNothingLeft();
});

/** A file with a tone for each track; null is silence. */
async function withTracks(name: string, tones: readonly (number | null)[], asDefault: number) {
  const path = join(bench.root, name);
  const sources = tones.map((hz) =>
    hz === null ? 'anullsrc=r=16000:cl=mono' : `sine=frequency=${hz}:sample_rate=16000`,
  );
  await runFfmpegForFixture([
    ...sources.flatMap((source) => ['-f', 'lavfi', '-i', source]),
    ...tones.flatMap((_, track) => ['-map', `${track}:a`]),
    ...tones.flatMap((_, track) => [
      `-disposition:a:${track}`,
      track === asDefault ? 'default' : '0',
    ]),
    ...['-t', '1', '-c:a', name.endsWith('mkv') ? 'flac' : 'aac', path],
  ]);
  return path;
}

for (const name of ['tracks.mkv', 'tracks.mp4']) {
  testWithFfmpeg(
    `of several audio tracks in ${name} the default one is taken, or the one that is asked for`,
    async () => {
      const path = await withTracks(name, [440, 700, null], 1);
      for (const [audioTrack, hz] of [
        [null, 700],
        [0, 440],
        [1, 700],
      ] as const) {
        const waveform = await bench.open(path, {}, undefined, { audioTrack });
        expect(dominantHz(await middleOf(waveform), SAMPLE_RATE_HZ)).toBe(hz);
        expect(waveform.warnings).toMatchObject([{ code: 'AUDIO_TRACKS', count: 3 }]);
        await waveform.close();
      }
      const silent = await bench.open(path, {}, undefined, { audioTrack: 2 });
      expect(silent.warnings).toMatchObject([
        { code: 'AUDIO_TRACKS' },
        { code: 'AUDIO_TRACK_SILENT' },
      ]);
      await silent.close();
      const refused = bench.open(path, {}, undefined, { audioTrack: 3 });
      const error = await expectCode(refused, 'INPUT_INVALID');
      expect(error.message).toMatch(/audio_track: the file has 3 audio tracks/);
    },
  );
}

testWithFfmpeg(
  'a file with one audio track has no warning of tracks, and no second one',
  async () => {
    const mp4 = await withTracks('one.mp4', [440], 0);
    const wav = await bench.write('one.wav', wavBytes(noise(1000)));
    const telephone = await bench.write('one8k.wav', wavBytes(noise(1000), { rateHz: 8000 }));
    for (const path of [mp4, wav, telephone]) {
      const waveform = await bench.open(path, {}, undefined, { audioTrack: 0 });
      expect(waveform.warnings).toEqual([]);
      await waveform.close();
      const error = await expectCode(
        bench.open(path, {}, undefined, { audioTrack: 1 }),
        'INPUT_INVALID',
      );
      expect(error.message).toMatch(/the file has 1 audio track,/);
    }
    await bench.expectNothingLeft();
  },
);
