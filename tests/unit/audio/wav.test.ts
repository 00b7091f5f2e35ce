import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { downmixWeights } from '../../../audio/channel-mixer.ts';
import type { DecodeTask } from '../../../audio/decode-task.ts';
import { decodeByFfmpeg } from '../../../audio/ffmpeg-decode.ts';
import { RecordingSpool } from '../../../audio/recording-spool.ts';
import { createSpoolFolder } from '../../../audio/spool.ts';
import { decodeWav } from '../../../audio/wav.ts';
import {
  createWorkbench,
  expectCode,
  runFfmpegForFixture,
  testWithFfmpeg,
  type Workbench,
} from '../../fakes/audio-workbench.ts';
import { chunk, noise, wavBytes } from '../../fakes/wav-bytes.ts';

const { signal } = new AbortController();
const toFloat = (samples: Int16Array): Float32Array =>
  Float32Array.from(samples, (sample) => (sample * 1.2) / 32_768);

let bench: Workbench;
beforeAll(async () => {
  bench = await createWorkbench();
});
afterEach(() => bench.expectNothingLeft());
afterAll(() => bench.remove());

type Decoder = (task: DecodeTask) => Promise<unknown>;
const ours: Decoder = (task) => decodeWav(task, 60, signal);
const theirs: Decoder = (task) => decodeByFfmpeg(task, bench.limits, signal);

/** The samples that a decoder writes; undefined if it leaves the file to ffmpeg. */
async function decodeBy(decoder: Decoder, path: string): Promise<Float32Array | undefined> {
  const spool = await createSpoolFolder(bench.spoolDir);
  try {
    const output = new RecordingSpool(spool, 'mix');
    const files = { path, mediaType: 'wav', workingFolder: spool.path } as const;
    if ((await decoder({ ...files, audioTrack: null, output })) === undefined) return undefined;
    const [{ handle, sampleCount } = { handle: null, sampleCount: 0 }] = await output.finish();
    const samples = new Float32Array(sampleCount);
    await handle?.read(new Uint8Array(samples.buffer), 0, samples.byteLength, 0);
    return samples;
  } finally {
    await spool.remove();
  }
}

/** Of a 16-bit recording. */
const LSB = 1 / 32_768;

async function largestDifference(path: string): Promise<number> {
  const [own, reference] = [await decodeBy(ours, path), await decodeBy(theirs, path)];
  if (own === undefined || reference === undefined) throw new Error('nothing was decoded');
  expect(own.length).toBe(reference.length);
  return own.reduce((max, value, sample) => Math.max(max, Math.abs(value - reference[sample]!)), 0);
}

const CASES: Record<string, Buffer> = {
  'mono int16': wavBytes(noise(200_001)),
  'mono float': wavBytes(toFloat(noise(10_000))),
  'stereo int16': wavBytes(noise(400_002), { channelCount: 2 }),
  'stereo float': wavBytes(toFloat(noise(10_000)), { channelCount: 2 }),
  'extensible stereo int16': wavBytes(noise(10_000), { channelCount: 2, channelMask: 3 }),
  'extensible mono float': wavBytes(toFloat(noise(10_000)), { channelMask: 4 }),
  'a claimed length beyond the end': wavBytes(noise(10_000), { claimedDataBytes: 9_999_999 }),
  'a claimed length of 0': wavBytes(noise(10_000), { claimedDataBytes: 0 }),
  'a claimed length of 0xFFFFFFFF': wavBytes(noise(10_000), { claimedDataBytes: 0xffff_ffff }),
  'a claimed length that is too short': wavBytes(noise(10_000), { claimedDataBytes: 5000 }),
};

for (const [kind, bytes] of Object.entries(CASES)) {
  testWithFfmpeg(`${kind} is read as ffmpeg reads it`, async () => {
    expect(await largestDifference(await bench.write('case.wav', bytes))).toBe(0);
  });
}

/** What `ffmpeg -ac 1` makes of it. */
async function mixedByFfmpeg(path: string): Promise<Float32Array | undefined> {
  const mono = `${path}.mono.wav`;
  await runFfmpegForFixture(['-i', path, '-ac', '1', mono]);
  return decodeBy(ours, mono);
}

const LAYOUTS: Record<string, readonly [number, number]> = {
  stereo: [2, 0x3],
  '2.1': [3, 0xb],
  '4.0': [4, 0x107],
  '5.0': [5, 0x37],
  '5.1': [6, 0x3f],
  '5.1 (side)': [6, 0x60f],
  '7.1': [8, 0x63f],
};

for (const [layout, [channelCount, channelMask]] of Object.entries(LAYOUTS)) {
  testWithFfmpeg(
    `a recording that names the layout ${layout} is mixed as ffmpeg mixes it`,
    async () => {
      const bytes = wavBytes(noise(channelCount * 4000), { channelCount, channelMask });
      const path = await bench.write('surround.wav', bytes);
      const [own, reference] = [await decodeBy(ours, path), await mixedByFfmpeg(path)];
      const differences = own?.map((value, sample) => Math.abs(value - (reference?.[sample] ?? 9)));
      // ffmpeg rounds each weight to 15 bits.
      expect(Math.max(...(differences ?? [9]))).toBeLessThanOrEqual(channelCount * LSB);
    },
  );
}

test('the mix of stereo is the mean of its channels', () => {
  for (const channelMask of [0, 3]) {
    expect(downmixWeights({ channelCount: 2, channelMask })).toEqual([0.5, 0.5]);
  }
  expect(downmixWeights({ channelCount: 1, channelMask: 0 })).toEqual([1]);
});

test('the weights of a named layout add up to 1 and its LFE has none', () => {
  const weights = downmixWeights({ channelCount: 6, channelMask: 0x3f });
  expect(weights.reduce((total, weight) => total + weight, 0)).toBeCloseTo(1, 12);
  expect(weights[3]).toBe(0);
});

test('channels of a layout that nobody names have equal weights', () => {
  for (const channelCount of [6, 9, 10, 12, 32]) {
    const weights = downmixWeights({ channelCount, channelMask: 0 });
    expect(weights).toEqual(Array(channelCount).fill(1 / channelCount));
  }
  expect(downmixWeights({ channelCount: 3, channelMask: 0x3f })).toEqual(Array(3).fill(1 / 3));
});

test('chunks before and behind the samples are not read as samples', async () => {
  const samples = noise(1001);
  const wav = wavBytes(samples);
  const list = chunk('LIST', Buffer.from('odd'), 3);
  const padded = Buffer.concat([
    wav.subarray(0, 12),
    list,
    Buffer.alloc(1),
    wav.subarray(12),
    list,
  ]);
  expect(await decodeBy(ours, await bench.write('list.wav', padded))).toEqual(
    Float32Array.from(samples, (sample) => sample * LSB),
  );
});

test('a half sample at the end is dropped', async () => {
  const bytes = wavBytes(noise(1000));
  const path = await bench.write('cut.wav', bytes.subarray(0, bytes.length - 1));
  expect((await decodeBy(ours, path))?.length).toBe(999);
});

test('float values beyond full scale stay as they are and NaN is silence', async () => {
  const path = await bench.write('loud.wav', wavBytes(Float32Array.of(2, -2, Number.NaN, 1, 0.5)));
  expect(await decodeBy(ours, path)).toEqual(Float32Array.of(2, -2, 0, 1, 0.5));
});

test('other rates, other encodings and endless headers are left to ffmpeg', async () => {
  const endless = Buffer.concat([
    wavBytes(noise(0)).subarray(0, 12),
    ...Array.from({ length: 100 }, () => chunk('junk', Buffer.alloc(2), 2)),
    wavBytes(noise(10)).subarray(12),
  ]);
  const alaw = wavBytes(noise(100));
  alaw.writeUInt16LE(6, 20);
  for (const bytes of [wavBytes(noise(100), { rateHz: 8000 }), alaw, endless]) {
    expect(await decodeBy(ours, await bench.write('other.wav', bytes))).toBeUndefined();
  }
});

test('a 16 kHz WAV needs no ffmpeg', async () => {
  const path = await bench.write('plain.wav', wavBytes(noise(1600)));
  const waveform = await bench.open(path, { ffmpegPath: '/nowhere/ffmpeg' });
  expect(waveform.sampleCount).toBe(1600);
  await waveform.close();
});

testWithFfmpeg('a WAV written by ffmpeg is read without it', async () => {
  const path = join(bench.root, 'ffmpeg.wav');
  const source = 'sine=frequency=440:sample_rate=16000:duration=1';
  await runFfmpegForFixture(['-f', 'lavfi', '-i', source, '-ac', '2', path]);
  expect((await decodeBy(ours, path))?.length).toBe(16_000);
});

test('reading a WAV stops when it is aborted', async () => {
  const path = await bench.write('abort.wav', wavBytes(noise(1600)));
  await expectCode(bench.open(path, {}, AbortSignal.abort()), 'JOB_CANCELLED');
});
