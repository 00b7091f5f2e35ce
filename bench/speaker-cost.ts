import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { loadConfig } from '../core/config.ts';
import { InferenceEngine } from '../models/engine/engine.ts';
import { locateWhisper } from '../models/locate-whisper.ts';
import { PyannoteSegmentation } from '../models/segmentation/pyannote-segmentation.ts';
import { SpeakerEncoder } from '../models/speaker-embedding/speaker-encoder.ts';
import { SileroVad } from '../models/vad/silero-vad.ts';
import { WhisperRecognizer } from '../models/whisper/whisper-recognizer.ts';
import { diarize } from '../pipeline/diarization/diarize.ts';
import { DEFAULT_DIARIZE_OPTIONS } from '../pipeline/diarization/options.ts';
import { DEFAULT_TRANSCRIBE_OPTIONS } from '../pipeline/options.ts';
import { DEFAULT_POSTPROCESS_OPTIONS } from '../pipeline/postprocess/postprocess.ts';
import { processRecording, type RecordingOptions } from '../pipeline/process-recording.ts';
import { transcribe } from '../pipeline/transcribe.ts';
import { writeLongSample } from './long-sample.ts';
import { readWavSamples } from './wav-samples.ts';

/**
 * What word times and speakers cost together beside Whisper alone, on the CPU (`WHISPER_MODEL`, `COMPUTE_TYPE`):
 * a job with both as it runs, side by side, ÷ transcription without word times, in turn. By processor
 * time of the whole process, which a busy machine changes less than time, and by time. Each alone too.
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
  const { hub, engine: settings } = loadConfig(process.env);
  const { whisperModel: model, computeType } = settings;
  const whisper = await locateWhisper({ model, computeType, device: 'cpu' }, hub, signal);
  const recognizer = await WhisperRecognizer.load(engine, {
    modelName: whisper.name,
    folder: whisper.folder,
    computeType: 'float32',
    batchSize: 8,
  });
  const segmentation = await PyannoteSegmentation.load(engine);
  const embedding = await SpeakerEncoder.load(engine);
  const models = { recognizer, voiceActivity, segmentation, embedding };
  const options = { ...DEFAULT_TRANSCRIBE_OPTIONS, language: 'en' };
  const transcribed = (wordTimes: boolean) => (): Promise<unknown> =>
    transcribe(waveform, { ...options, wordTimes }, models, {}, signal);
  const diarized = (): Promise<unknown> =>
    diarize(waveform, models, DEFAULT_DIARIZE_OPTIONS, {}, signal);
  const whole: RecordingOptions = {
    transcribe: { ...options, wordTimes: true },
    diarize: DEFAULT_DIARIZE_OPTIONS,
    postprocess: DEFAULT_POSTPROCESS_OPTIONS,
  };
  const processed = (): Promise<unknown> => processRecording(waveform, whole, models, {}, signal);
  const runs: Record<'cpu' | 'time', number>[] = [];
  for (let run = 0; run <= Number(values.runs); run++) {
    const text = await cost(transcribed(false));
    const words = await cost(transcribed(true));
    const speakers = await cost(diarized);
    const both = await cost(processed);
    const beside = (part: Cost, kind: keyof Cost): string => (part[kind] / text[kind]).toFixed(2);
    process.stderr.write(
      `run ${run}, processor time ÷ Whisper alone: with words ${beside(words, 'cpuMs')}, ` +
        `speakers ${beside(speakers, 'cpuMs')}, with words and speakers ${beside(both, 'cpuMs')}\n`,
    );
    const added = (kind: keyof Cost): number => both[kind] / text[kind] - 1;
    if (run > 0) runs.push({ cpu: added('cpuMs'), time: added('wallMs') });
  }
  const median = (kind: 'cpu' | 'time'): number => {
    const sorted = runs.map((run) => run[kind]).toSorted((a, b) => a - b);
    return Number(sorted[sorted.length >> 1]!.toFixed(3));
  };
  const result = { wordsAndSpeakersCpu: median('cpu'), wordsAndSpeakersTime: median('time') };
  process.stdout.write(
    `words and speakers cost ${Math.round(100 * result.wordsAndSpeakersCpu)} % of Whisper alone ` +
      `(processor time), ${Math.round(100 * result.wordsAndSpeakersTime)} % (time); the limit is 60 %\n`,
  );
  process.stdout.write(`${JSON.stringify({ ...result, runs })}\n`);
}

interface Cost {
  readonly wallMs: number;
  readonly cpuMs: number;
}

async function cost(work: () => Promise<unknown>): Promise<Cost> {
  const startedAt = performance.now();
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return { wallMs: performance.now() - startedAt, cpuMs: (user + system) / 1000 };
}
