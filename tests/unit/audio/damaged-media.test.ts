import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect } from 'vitest';
import { samplesToSec } from '../../../audio/time.ts';
import type { SpooledWaveform } from '../../../audio/waveform.ts';
import {
  createWorkbench,
  expectCode,
  testWithFfmpeg,
  type Workbench,
} from '../../fakes/audio-workbench.ts';
import { encodeBursts, findBursts } from '../../fakes/bursts.ts';

/** A tone at 1 s and one at 8 s. */
const SHAPE = { startsSec: [1, 8], durationSec: 10 };
const FRAGMENTED = '-c:a aac -movflags frag_keyframe+empty_moov -frag_duration 500000'.split(' ');
/** What the file announces: its length, or only that its end is missing. */
const FORMATS: Record<string, { argv: readonly string[]; announces: boolean }> = {
  'a.wav': { argv: ['-ar', '16000'], announces: true },
  'b.wav': { argv: ['-ar', '44100'], announces: true },
  'c.wav': { argv: ['-ar', '16000', '-c:a', 'g722'], announces: true },
  'a.m4a': { argv: ['-c:a', 'aac', '-movflags', '+faststart'], announces: true },
  'fragmented.mp4': { argv: FRAGMENTED, announces: false },
  'a.mp3': { argv: ['-c:a', 'libmp3lame'], announces: true },
  'vbr.mp3': { argv: ['-c:a', 'libmp3lame', '-q:a', '4'], announces: true },
  'a.flac': { argv: [], announces: true },
  'a.webm': { argv: ['-c:a', 'libopus', '-cluster_time_limit', '1000'], announces: true },
  'live.webm': { argv: ['-c:a', 'libopus', '-live', '1'], announces: false },
  'a.ogg': { argv: ['-c:a', 'libopus'], announces: false },
  'vorbis.ogg': { argv: ['-c:a', 'libvorbis'], announces: false },
  'a.aiff': { argv: [], announces: true },
};
/** None of them says how long it is, or what it says is no promise. */
const SILENT_ABOUT_LENGTH: Record<string, readonly string[]> = {
  'vbr-without-xing.mp3': ['-c:a', 'libmp3lame', '-q:a', '4', '-write_xing', '0'],
  'live.webm': ['-c:a', 'libopus', '-live', '1'],
  'a.aac': ['-c:a', 'aac'],
};

let bench: Workbench;
beforeAll(async () => {
  bench = await createWorkbench();
});
afterAll(() => bench.remove());

async function encode(name: string, argv: readonly string[]): Promise<Buffer> {
  const path = join(bench.root, name);
  await encodeBursts(path, SHAPE, ...argv);
  return readFile(path);
}

async function opened<T>(
  path: string,
  look: (waveform: SpooledWaveform) => T,
): Promise<Awaited<T>> {
  const waveform = await bench.open(path);
  try {
    return await look(waveform);
  } finally {
    await waveform.close();
  }
}

for (const [name, { argv, announces }] of Object.entries(FORMATS)) {
  testWithFfmpeg(
    `${name} warns where two thirds are missing, and not when it is whole`,
    async () => {
      const whole = await encode(name, argv);
      const cut = await bench.write(`cut-${name}`, whole.subarray(0, whole.length / 3));
      await opened(name, ({ warnings }) => expect(warnings).toEqual([]));
      await opened(cut, ({ warnings, sampleCount }) => {
        expect(warnings).toHaveLength(1);
        const [{ code, decodedSec, announcedSec }] = warnings as [SpooledWaveform['warnings'][0]];
        expect([code, decodedSec]).toEqual(['AUDIO_TRUNCATED', samplesToSec(sampleCount)]);
        if (announces) expect(announcedSec).toBeCloseTo(SHAPE.durationSec, 0);
        else expect(announcedSec).toBeUndefined();
      });
    },
  );
}

testWithFfmpeg('an M4A whose index was behind what is missing is AUDIO_UNDECODABLE', async () => {
  const whole = await encode('last.m4a', ['-c:a', 'aac']);
  const cut = await bench.write('cut-last.m4a', whole.subarray(0, whole.length / 3));
  await expectCode(bench.open(cut), 'AUDIO_UNDECODABLE');
});

for (const [name, argv] of Object.entries(SILENT_ABOUT_LENGTH)) {
  testWithFfmpeg(`${name}, which does not say how long it is, is whole`, async () => {
    await encode(name, argv);
    await opened(name, ({ warnings }) => expect(warnings).toEqual([]));
  });
}

testWithFfmpeg(
  'WAV of recorders that could not seek back is whole, whatever size it has',
  async () => {
    const wav = await encode('a.wav', ['-ar', '16000', '-bitexact']);
    for (const claimedBytes of [0, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff]) {
      wav.writeUInt32LE(claimedBytes, 40);
      const path = await bench.write('recorder.wav', wav);
      await opened(path, ({ warnings, sampleCount }) => {
        expect([warnings, sampleCount]).toEqual([[], 160_000]);
      });
    }
  },
);

for (const name of ['a.m4a', 'fragmented.mp4', 'a.mp3', 'vbr.mp3', 'a.flac', 'a.ogg', 'a.webm']) {
  testWithFfmpeg(
    `${name}: what follows a zeroed middle keeps its time, with a warning`,
    async () => {
      const bytes = await encode(name, FORMATS[name]?.argv ?? []);
      bytes.fill(0, Math.floor(bytes.length * 0.4), Math.floor(bytes.length * 0.6));
      const path = await bench.write(`zeroed-${name}`, bytes);
      await opened(path, async (waveform) => {
        const { sampleCount, warnings } = waveform;
        const starts = findBursts(await waveform.read({ start: 0, end: sampleCount }));
        expect(warnings.map(({ code }) => code)).toEqual(['AUDIO_DAMAGED']);
        const [{ start, end } = { start: 0, end: 0 }] = warnings[0]?.ranges ?? [];
        expect([start > 2 * 16_000, end < 9 * 16_000, end - start > 16_000]).toEqual([
          true,
          true,
          true,
        ]);
        expect(Math.abs(samplesToSec(sampleCount) - SHAPE.durationSec)).toBeLessThan(0.2);
        expect(Math.abs((starts.at(-1) ?? 0) - 8)).toBeLessThan(0.3);
      });
    },
  );
}

testWithFfmpeg('MP3 that begins inside a frame, or behind zeros, is decoded', async () => {
  const mp3 = await encode('bare.mp3', [
    '-c:a',
    'libmp3lame',
    '-write_xing',
    '0',
    '-id3v2_version',
    '0',
  ]);
  for (const bytes of [mp3.subarray(1000), Buffer.concat([Buffer.alloc(100_000), mp3])]) {
    await opened(await bench.write('rough.mp3', bytes), ({ sampleCount, warnings }) => {
      expect(Math.abs(samplesToSec(sampleCount) - SHAPE.durationSec)).toBeLessThan(0.3);
      expect(warnings).toEqual([]);
    });
  }
});

testWithFfmpeg('a codec that is not accepted is AUDIO_UNSUPPORTED, not damaged', async () => {
  const argv = ['-ar', '44100', '-c:a', 'adpcm_swf'];
  for (const name of ['swf.wav', 'swf.mkv']) {
    await encode(name, name.endsWith('mkv') ? ['-c:a', 'wavpack'] : argv);
    const { message } = await expectCode(bench.open(name), 'AUDIO_UNSUPPORTED');
    expect(message).toContain('codec');
  }
});
