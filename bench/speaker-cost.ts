import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { InferenceEngine } from '../models/engine/engine.ts';
import { EMBEDDED_DIARIZATION } from '../models/locate-diarization.ts';
import { PyannoteSegmentation } from '../models/segmentation/pyannote-segmentation.ts';
import { SpeakerEncoder } from '../models/speaker-embedding/speaker-encoder.ts';
import { SileroVad } from '../models/vad/silero-vad.ts';
import { WhisperRecognizer } from '../models/whisper/whisper-recognizer.ts';
import { diarize } from '../pipeline/diarization/diarize.ts';
import { DEFAULT_DIARIZE_OPTIONS } from '../pipeline/diarization/options.ts';
import { DEFAULT_TRANSCRIBE_OPTIONS } from '../pipeline/options.ts';
import { transcribe } from '../pipeline/transcribe.ts';
import { writeLongSample } from './long-sample.ts';
import { readWavSamples } from './wav-samples.ts';

/**
 * What word times and speakers cost beside the text: transcription without and with word times, and
 * diarization of the sample meeting in turn, on the embedded models and the CPU. The ratio of what
 * they add to the text counts; times are those of this machine.
 */
const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '3' },
    runs: { type: 'string', default: '3' },
  },
});

const { signal } = new AbortController();
const folder = (name: string): string => join(import.meta.dirname, '../models/embedded', name);
const workFolder = await mkdtemp(join(tmpdir(), 'stt-bench-'));
const engine = new InferenceEngine({ device: 'cpu', threads: 0 }, (error) => {
  throw error;
});
try {
  await report();
} finally {
  await engine.close();
  await rm(workFolder, { recursive: true });
}

async function report(): Promise<void> {
  const wav = join(workFolder, 'long-sample.wav');
  await writeLongSample(wav, Number(values.minutes) * 60);
  const samples = readWavSamples(await readFile(wav));
  const waveform = {
    sampleCount: samples.length,
    read: ({ start, end }: { start: number; end: number }) =>
      Promise.resolve(samples.slice(start, end)),
  };
  const voiceActivity = await SileroVad.load(engine, folder('silero-vad'));
  const recognizer = await WhisperRecognizer.load(engine, {
    modelName: 'embedded/whisper-tiny.en',
    folder: folder('whisper-tiny.en'),
    computeType: 'float32',
    batchSize: 8,
  });
  const segmentation = await PyannoteSegmentation.load(engine, folder('pyannote-segmentation'));
  const embedding = await SpeakerEncoder.load(engine, EMBEDDED_DIARIZATION.embedding);
  const options = { ...DEFAULT_TRANSCRIBE_OPTIONS, language: 'en' };
  const stagesMs = new Map<string, number>();
  const onStage = (stage: string, elapsedMs: number): void => void stagesMs.set(stage, elapsedMs);
  const ratios: number[] = [];
  for (let run = 0; run <= Number(values.runs); run++) {
    const transcribed = (wordTimes: boolean) => () =>
      transcribe(waveform, { ...options, wordTimes }, { recognizer, voiceActivity }, {}, signal);
    const textMs = await timed(transcribed(false));
    const wordsMs = (await timed(transcribed(true))) - textMs;
    const speakersMs = await timed(() =>
      diarize(waveform, { segmentation, embedding }, DEFAULT_DIARIZE_OPTIONS, { onStage }, signal),
    );
    const stages = [...stagesMs].map(([stage, ms]) => `${stage} ${(ms / textMs).toFixed(2)}`);
    process.stderr.write(
      `run ${run}: word times ÷ text ${(wordsMs / textMs).toFixed(2)}, speakers ÷ text ` +
        `${(speakersMs / textMs).toFixed(2)} (${stages.join(', ')})\n`,
    );
    if (run > 0) ratios.push((wordsMs + speakersMs) / textMs);
  }
  ratios.sort((a, b) => a - b);
  process.stdout.write(`${JSON.stringify({ medianRatio: ratios[ratios.length >> 1], ratios })}\n`);
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  await work();
  return performance.now() - startedAt;
}
