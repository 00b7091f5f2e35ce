import { basename, dirname } from 'node:path';
import { createInterface } from 'node:readline';
import { openAudio } from '../../audio/open-audio.ts';
import { loadConfig } from '../../core/config.ts';
import { createLogger } from '../../core/logger.ts';
import { runJob } from '../../handler/run-job.ts';
import { loadModels } from '../../models/load-models.ts';
import { DEFAULT_TRANSCRIBE_OPTIONS } from '../../pipeline/options.ts';
import { processRecording } from '../../pipeline/process-recording.ts';
import { transcribe } from '../../pipeline/transcribe.ts';

/**
 * This project behind the bench's line protocol: one line in, one recording, one JSON line out.
 *
 * usage: stt-worker-peer.ts MODEL_FOLDER AUDIO BATCH THREADS MODE
 * MODE: `text`, the transcript alone, as other programs make it; `job`, a whole job by its defaults,
 * with words, speakers and the result as it would be sent, of which only the length is told.
 */
const [folder, audio, batch, threads, mode] = process.argv.slice(2) as [
  string,
  string,
  string,
  string,
  'text' | 'job',
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

async function textOf(): Promise<string> {
  const waveform = await openAudio({ kind: 'path', path: audio }, limits, signal);
  const options = { ...DEFAULT_TRANSCRIBE_OPTIONS, language: 'en', wordTimes: false };
  const transcript = await transcribe(waveform, options, models, {}, signal);
  await waveform.close();
  return transcript.segments.map((segment) => segment.text).join(' ');
}

async function wholeJob(): Promise<string> {
  const output = await runJob(
    { id: 'bench', input: { audio_url: audio, language: 'en' } },
    {
      recognizer: models.recognizer,
      openAudio: (source, stop) => openAudio(source, limits, stop),
      transcribe: (waveform, options, hooks, stop) =>
        processRecording(waveform, options, models, hooks, stop),
    },
    { signal, logger: createLogger('silent', { write: () => {} }), onProgress: () => {} },
  );
  if ('error' in output) throw new Error(output.error.message);
  return `${JSON.stringify(output).length} characters, ${output.total_speakers} speakers`;
}

say({ ready: true });
for await (const _ of createInterface({ input: process.stdin })) {
  const startedAt = performance.now();
  const text = await (mode === 'job' ? wholeJob() : textOf());
  say({ sec: (performance.now() - startedAt) / 1000, text });
}
await models.close();
