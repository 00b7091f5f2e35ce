import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect } from 'vitest';
import { findFfmpeg } from '../../../audio/ffmpeg-path.ts';
import { openDecodingStream, type StreamContainer } from '../../../audio/ffmpeg-stream.ts';
import { samplesToSec } from '../../../audio/time.ts';
import { floatWaveform } from '../../../handler/realtime/float-samples.ts';
import {
  createWorkbench,
  expectCode,
  runFfmpegForFixture,
  testWithFfmpeg,
  type Workbench,
} from '../../fakes/audio-workbench.ts';
import { bursts, encodeBursts, findBursts } from '../../fakes/bursts.ts';

/** A tone at 1 s and one at 31 s; packets from 12 to 30 s are missing in `gap.…`. */
const SHAPE = { startsSec: [1, 31], durationSec: 33 };
const DROPPED = "noise=drop='between(pts*tb,12,30)'";
const FRAGMENTED = '-movflags frag_keyframe+empty_moov -frag_duration 500000'.split(' ');
const CONTAINERS: Record<string, readonly string[]> = {
  'gap.webm': ['-c:a', 'libopus'],
  'gap.mkv': ['-c:a', 'libmp3lame'],
  'gap.ogg': ['-c:a', 'libopus'],
  'gap.m4a': ['-c:a', 'aac'],
  'gap.mp4': ['-c:a', 'aac', ...FRAGMENTED],
  'gap.ts': ['-c:a', 'aac'],
};
const LATE_SEC = 3;

let bench: Workbench;
beforeAll(async () => {
  bench = await createWorkbench();
});
afterAll(() => bench.remove());

const pathOf = (name: string): string => join(bench.root, name);

/** Copies the packets of `whole` through a bit stream filter. */
const refine = (whole: string, filter: string, name: string, ...options: readonly string[]) =>
  runFfmpegForFixture(['-i', whole, '-c', 'copy', '-bsf:a', filter, ...options, pathOf(name)]);

async function encodeWithGap(name: string): Promise<void> {
  const options = CONTAINERS[name] ?? [];
  const muxer = options.slice(2);
  await encodeBursts(pathOf(`whole-${name}`), SHAPE, ...options);
  await refine(pathOf(`whole-${name}`), DROPPED, name, ...muxer);
}

async function hear(path: string): Promise<{ durationSec: number; startsSec: number[] }> {
  const waveform = await bench.open(path);
  const { sampleCount } = waveform;
  const samples = await waveform.read({ start: 0, end: sampleCount });
  expect(waveform.warnings).toEqual([]);
  await waveform.close();
  return { durationSec: samplesToSec(sampleCount), startsSec: findBursts(samples) };
}

function expectTimes(
  { durationSec, startsSec }: { durationSec: number; startsSec: readonly number[] },
  wanted: { durationSec: number; startsSec: readonly number[] },
): void {
  expect(startsSec.length).toBe(wanted.startsSec.length);
  for (const [index, start] of startsSec.entries()) {
    expect(Math.abs(start - wanted.startsSec[index]!)).toBeLessThan(0.1);
  }
  expect(Math.abs(durationSec - wanted.durationSec)).toBeLessThan(0.1);
}

for (const name of Object.keys(CONTAINERS)) {
  testWithFfmpeg(`${name}: what follows missing packets keeps its time`, async () => {
    await encodeWithGap(name);
    expectTimes(await hear(pathOf(name)), SHAPE);
  });
}

for (const [name, codecs] of Object.entries({
  'late.mp4': '-c:v mpeg4 -c:a aac',
  'late.webm': '-c:v libvpx -c:a libopus',
  'late.mkv': '-c:v mpeg4 -c:a libopus',
  'late.ts': '-c:v mpeg2video -c:a aac',
})) {
  const argv = codecs.split(' ');
  testWithFfmpeg(`${name}: sound that begins 3 s after the picture is 3 s later`, async () => {
    const picture = ['-f', 'lavfi', '-i', 'testsrc=size=64x64:rate=25:duration=6'];
    const sound = ['-itsoffset', String(LATE_SEC), ...bursts([1], 3)];
    const map = ['-map', '0:v', '-map', '1:a'];
    await runFfmpegForFixture([...picture, ...sound, ...map, ...argv, pathOf(name)]);
    expectTimes(await hear(pathOf(name)), { startsSec: [4], durationSec: 6 });
  });

  testWithFfmpeg(`${name}: sound alone that begins late begins at 0`, async () => {
    const sound = ['-itsoffset', String(LATE_SEC), ...bursts([1], 3)];
    const path = pathOf(`alone-${name}`);
    await runFfmpegForFixture([...sound, '-map', '0:a', ...argv.slice(2), path]);
    expectTimes(await hear(path), { startsSec: [1], durationSec: 3 });
  });
}

testWithFfmpeg('2 % of the packets missing shift nothing by 0.1 s', async () => {
  await encodeBursts(pathOf('few.webm'), SHAPE, '-c:a', 'libopus');
  await refine(pathOf('few.webm'), "noise=drop='lt(random(1),0.02)'", 'fewer.webm');
  expectTimes(await hear(pathOf('fewer.webm')), SHAPE);
});

testWithFfmpeg('Opus recordings that were joined follow each other', async () => {
  await encodeBursts(pathOf('one.ogg'), { startsSec: [1], durationSec: 3 }, '-c:a', 'libopus');
  const one = await readFile(pathOf('one.ogg'));
  const path = await bench.write('chained.ogg', Buffer.concat([one, one]));
  expectTimes(await hear(path), { startsSec: [1, 4], durationSec: 6 });
});

for (const jump of ['7200', '315360000', '-15']) {
  testWithFfmpeg(`a clock that jumps by ${jump} s goes on where it was`, async () => {
    const whole = pathOf('steady.mkv');
    await encodeBursts(whole, SHAPE, '-c:a', 'libopus');
    const jumping = `setts=ts='TS+gt(TS*TB,20)*(${jump})/TB'`;
    await refine(whole, jumping, 'jumping.mkv');
    expectTimes(await hear(pathOf('jumping.mkv')), SHAPE);
  });
}

testWithFfmpeg('silence of a jump takes no disk, and counts towards the length', async () => {
  const whole = pathOf('steady.webm');
  await encodeBursts(whole, SHAPE, '-c:a', 'libopus');
  await refine(whole, "setts=ts='TS+gt(TS*TB,20)*1800/TB'", 'long.webm');
  await expectCode(bench.open(pathOf('long.webm'), { maxSec: 1810 }), 'AUDIO_TOO_LONG');
  const waveform = await bench.open(pathOf('long.webm'), { maxSec: 3600 });
  expect(samplesToSec(waveform.sampleCount)).toBeCloseTo(1833, 0);
  expect(await spooledBytes()).toBeLessThan(4_000_000);
  await waveform.close();
});

async function spooledBytes(): Promise<number> {
  const files = await readdir(bench.spoolDir, { recursive: true });
  const sizes = await Promise.all(files.map((file) => stat(join(bench.spoolDir, file))));
  return sizes.reduce((sum, { blocks }) => sum + blocks * 512, 0);
}

for (const [name, container] of Object.entries({ 'gap.webm': 'webm', 'gap.ogg': 'ogg' } as const)) {
  testWithFfmpeg(`${name} live: what follows missing packets keeps its time`, async () => {
    await encodeWithGap(name);
    expectTimes(await listen(pathOf(name), container), SHAPE);
  });
}

async function listen(path: string, container: StreamContainer) {
  const pieces: Buffer[] = [];
  const failures: unknown[] = [];
  const stream = openDecodingStream(
    { ffmpegPath: await findFfmpeg(undefined), container },
    (bytes) => pieces.push(bytes),
    (error) => failures.push(error),
  );
  const bytes = await readFile(path);
  for (let from = 0; from < bytes.length; from += 1000)
    stream.write(bytes.subarray(from, from + 1000));
  await stream.end();
  expect(failures).toEqual([]);
  const samples = floatWaveform(Buffer.concat(pieces));
  return { durationSec: samplesToSec(samples.length), startsSec: findBursts(samples) };
}
