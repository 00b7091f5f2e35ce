import { basename, dirname } from 'node:path';
import { createInterface } from 'node:readline';
import { openAudio } from '../../audio/open-audio.ts';
import { loadConfig } from '../../core/config.ts';
import { loadModels } from '../../models/load-models.ts';
import { DEFAULT_TRANSCRIBE_OPTIONS } from '../../pipeline/options.ts';
import { transcribe } from '../../pipeline/transcribe.ts';

/**
 * This project behind the bench's line protocol: one line in, one transcription, one JSON line out.
 *
 * usage: stt-worker-peer.ts MODEL_FOLDER AUDIO BATCH THREADS WORDS
 */
const [folder, audio, batch, threads, words] = process.argv.slice(2) as [
  string,
  string,
  string,
  string,
  string,
];
const { signal } = new AbortController();
const limits = { ...loadConfig({}).audio, root: dirname(audio), maxSec: 86_400, maxBytes: 2 ** 33 };
const models = await loadModels(
  {
    device: 'cpu',
    threads: Number(threads),
    computeType: 'float32',
    batchSize: Number(batch),
    whisper: { name: basename(folder), folder },
  },
  (error) => {
    throw error;
  },
);
const say = (message: object): boolean => process.stdout.write(`${JSON.stringify(message)}\n`);

say({ ready: true });
for await (const _ of createInterface({ input: process.stdin })) {
  const startedAt = performance.now();
  const waveform = await openAudio({ kind: 'path', path: audio }, limits, signal);
  const options = { ...DEFAULT_TRANSCRIBE_OPTIONS, language: 'en', wordTimes: words === '1' };
  const transcript = await transcribe(waveform, options, models, {}, signal);
  await waveform.close();
  const text = transcript.segments.map((segment) => segment.text).join(' ');
  say({ sec: (performance.now() - startedAt) / 1000, text });
}
await models.close();
