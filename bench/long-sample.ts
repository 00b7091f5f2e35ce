import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

const SAMPLE = join(import.meta.dirname, '../samples/meeting-en.wav');
const HEADER_BYTES = 44;
const BYTES_PER_SEC = 2 * 16_000;

/** Writes the sample meeting again and again until `durationSec` is full: 16 kHz mono, 16 bit. */
export async function writeLongSample(path: string, durationSec: number): Promise<void> {
  const sample = await readFile(SAMPLE);
  const speech = sample.subarray(HEADER_BYTES);
  const data = Buffer.alloc(durationSec * BYTES_PER_SEC);
  for (let offset = 0; offset < data.length; offset += speech.length) speech.copy(data, offset);
  const header = Buffer.from(sample.subarray(0, HEADER_BYTES));
  header.writeUInt32LE(data.length + HEADER_BYTES - 8, 4);
  header.writeUInt32LE(data.length, HEADER_BYTES - 4);
  await writeFile(path, Buffer.concat([header, data]));
}

/** What is said in `durationSec` of the long sample, whole utterances only. */
export async function longSampleText(durationSec: number): Promise<string> {
  const script = join(import.meta.dirname, '../samples/meeting-en.json');
  const utterances = JSON.parse(await readFile(script, 'utf8')) as { end: number; text: string }[];
  const { size } = await readFile(SAMPLE).then(({ length }) => ({ size: length - HEADER_BYTES }));
  const sampleSec = size / BYTES_PER_SEC;
  const rounds = Math.ceil(durationSec / sampleSec);
  return Array.from({ length: rounds }, (_, round) =>
    utterances.filter(({ end }) => round * sampleSec + end <= durationSec),
  )
    .flat()
    .map(({ text }) => text)
    .join(' ');
}
