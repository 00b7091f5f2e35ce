import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openAudio } from '../audio/open-audio.ts';
import { SAMPLE_RATE_HZ, secToSamples } from '../audio/time.ts';
import { loadConfig } from '../core/config.ts';

const SHARED = join(import.meta.dirname, '../../shared');
/**
 * One after the other as they would be in one recording: two parts of a meeting, a call, another
 * meeting, a reader. openai-whisper's greedy text of each is the reference.
 */
const RECORDINGS = [
  ['dev00.wav', 'dev01.wav'],
  ['sample.wav'],
  ['trn03.wav'],
  [
    'spk1_snt1.wav',
    'spk1_snt2.wav',
    'spk1_snt3.wav',
    'spk1_snt4.wav',
    'spk1_snt5.wav',
    'spk1_snt6.wav',
  ],
];
/** Between two recordings, in turn: from a breath to a break. */
const PAUSES_SEC = [1.5, 4, 0.7, 12, 2.5, 7, 1];
/** −66 dB: a quiet room. */
const NOISE_LEVEL = 0.0005;
const HEADER_BYTES = 44;

/** A recording made of real ones, and what a reference says that is said in it. */
interface LongRecording {
  readonly audioSec: number;
  readonly text: string;
}

/**
 * Writes real recordings again and again, with pauses between them, until `durationSec` is full;
 * whole recordings only. 16 kHz mono, 16 bit.
 */
export async function writeRealRecordings(
  path: string,
  durationSec: number,
): Promise<LongRecording> {
  const sources = await readSources();
  const pieces: Float32Array[] = [];
  const texts: string[] = [];
  let samples = 0;
  for (const [part, takes] of sources.entries()) {
    const partEnd = secToSamples((durationSec * (part + 1)) / sources.length);
    for (let turn = 0; ; turn++) {
      const { waveform, text } = takes[turn % takes.length]!;
      const pause = noise(secToSamples(PAUSES_SEC[turn % PAUSES_SEC.length]!), turn);
      if (samples + waveform.length + pause.length > partEnd) break;
      pieces.push(waveform, pause);
      texts.push(text);
      samples += waveform.length + pause.length;
    }
  }
  await writeFile(path, wavOf(pieces, samples));
  return { audioSec: samples / SAMPLE_RATE_HZ, text: texts.join(' ') };
}

async function readSources() {
  const golden = join(SHARED, 'golden/whisper-tiny.en-reference.json');
  const reference = JSON.parse(await readFile(golden, 'utf8')) as Record<
    string,
    { readonly greedy: { readonly text: string } }
  >;
  const limits = { ...loadConfig({}).audio, root: join(SHARED, 'audio/real') };
  const read = async (path: string) => {
    const spooled = await openAudio({ kind: 'path', path }, limits, new AbortController().signal);
    const waveform = await spooled.read({ start: 0, end: spooled.sampleCount });
    await spooled.close();
    return { waveform, text: reference[path]!.greedy.text };
  };
  return Promise.all(RECORDINGS.map((paths) => Promise.all(paths.map(read))));
}

/** The same noise for the same seed. */
function noise(length: number, seed: number): Float32Array {
  let state = seed + 1;
  return Float32Array.from({ length }, () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return NOISE_LEVEL * (state / 2 ** 31 - 1);
  });
}

function wavOf(pieces: readonly Float32Array[], samples: number): Buffer {
  const file = Buffer.alloc(HEADER_BYTES + 2 * samples);
  file.write('RIFF', 0, 'latin1');
  file.writeUInt32LE(file.length - 8, 4);
  file.write('WAVEfmt ', 8, 'latin1');
  file.writeUInt32LE(16, 16);
  file.writeUInt16LE(1, 20);
  file.writeUInt16LE(1, 22);
  file.writeUInt32LE(SAMPLE_RATE_HZ, 24);
  file.writeUInt32LE(2 * SAMPLE_RATE_HZ, 28);
  file.writeUInt16LE(2, 32);
  file.writeUInt16LE(16, 34);
  file.write('data', 36, 'latin1');
  file.writeUInt32LE(2 * samples, 40);
  let offset = HEADER_BYTES;
  for (const piece of pieces) {
    for (const sample of piece) {
      file.writeInt16LE(Math.round(Math.max(-1, Math.min(1, sample)) * 32_767), offset);
      offset += 2;
    }
  }
  return file;
}
