import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import type { DecodedAudio, DecodeTask } from '../../../audio/decode-task.ts';
import { downmixWeights } from '../../../audio/downmix.ts';
import { decodeByFfmpeg } from '../../../audio/ffmpeg-decode.ts';
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

type Decoder = (task: DecodeTask) => Promise<DecodedAudio | undefined>;
const ours: Decoder = (task) => decodeWav(task, 60, signal);
const theirs: Decoder = (task) => decodeByFfmpeg(task, bench.limits, signal);

/** The samples a decoder writes; undefined if it leaves the file to ffmpeg. */
async function decodeBy(decoder: Decoder, path: string): Promise<Int16Array | undefined> {
  const spool = await createSpoolFolder(bench.spoolDir);
  try {
    const output = await spool.createFile();
    const task = { path, mediaType: 'wav', output, workingFolder: spool.path } as const;
    const decoded = await decoder(task);
    if (decoded === undefined) return undefined;
    const bytes = new Uint8Array(decoded.sampleCount * 2);
    await output.handle.read(bytes, 0, bytes.length, 0);
    return new Int16Array(bytes.buffer);
  } finally {
    await spool.remove();
  }
}

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
  testWithFfmpeg(`${kind} is read as ffmpeg reads it, within 1 LSB`, async () => {
    expect(await largestDifference(await bench.write('case.wav', bytes))).toBeLessThanOrEqual(1);
  });
}

for (const channelCount of [3, 4, 5, 6, 7, 8]) {
  testWithFfmpeg(`${channelCount} channels are mixed as ffmpeg mixes them`, async () => {
    const bytes = wavBytes(noise(channelCount * 4000), { channelCount });
    // ffmpeg rounds each weight to 15 bits, which adds up to half an LSB a channel.
    const path = await bench.write('surround.wav', bytes);
    expect(await largestDifference(path)).toBeLessThanOrEqual(Math.ceil(channelCount / 2));
  });
}

testWithFfmpeg('a named 5.1 (side) layout is mixed as ffmpeg mixes it', async () => {
  const bytes = wavBytes(noise(24_000), { channelCount: 6, channelMask: 0x60f });
  expect(await largestDifference(await bench.write('side.wav', bytes))).toBeLessThanOrEqual(3);
});

test('the mix of stereo is the mean of its channels', () => {
  expect(downmixWeights(2, 0)).toEqual([0.5, 0.5]);
  expect(downmixWeights(2, 3)).toEqual([0.5, 0.5]);
  expect(downmixWeights(1, 0)).toEqual([1]);
});

test('the weights of a layout add up to 1 and the LFE has none', () => {
  const weights = downmixWeights(6, 0x3f) ?? [];
  expect(weights.reduce((total, weight) => total + weight, 0)).toBeCloseTo(1, 12);
  expect(weights[3]).toBe(0);
});

test('a layout nobody knows is left to ffmpeg', () => {
  expect(downmixWeights(9, 0)).toBeUndefined();
  expect(downmixWeights(2, 0xc000_0000)).toBeUndefined();
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
  expect(await decodeBy(ours, await bench.write('list.wav', padded))).toEqual(samples);
});

test('a half sample at the end is dropped', async () => {
  const bytes = wavBytes(noise(1000));
  const path = await bench.write('cut.wav', bytes.subarray(0, bytes.length - 1));
  expect((await decodeBy(ours, path))?.length).toBe(999);
});

test('float values beyond full scale are clipped and NaN is silence', async () => {
  const path = await bench.write('loud.wav', wavBytes(Float32Array.of(2, -2, Number.NaN, 1, 0.5)));
  expect(await decodeBy(ours, path)).toEqual(Int16Array.of(32_767, -32_768, 0, 32_767, 16_384));
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
