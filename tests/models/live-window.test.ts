import { BroadcastChannel } from 'node:worker_threads';
import { expect, onTestFinished, test } from 'vitest';
import { SAMPLE_RATE_HZ } from '../../audio/time.ts';
import { InferenceEngine } from '../../models/engine/engine.ts';
import { WHISPER_TINY_EN } from '../../models/load-models.ts';
import { PyannoteSegmentation } from '../../models/segmentation/pyannote-segmentation.ts';
import { SpeakerEncoder } from '../../models/speaker-embedding/speaker-encoder.ts';
import { SileroVad } from '../../models/vad/silero-vad.ts';
import { WhisperRecognizer } from '../../models/whisper/whisper-recognizer.ts';
import { DEFAULT_DIARIZE_OPTIONS } from '../../pipeline/diarization/options.ts';
import { DEFAULT_TRANSCRIBE_OPTIONS } from '../../pipeline/options.ts';
import { DEFAULT_POSTPROCESS_OPTIONS } from '../../pipeline/postprocess/postprocess.ts';
import { processRecording } from '../../pipeline/process-recording.ts';
import { embeddedPath, sampleWaveform } from '../golden/shared-data.ts';

interface EngineRun {
  readonly session: string;
  readonly samples: number | undefined;
  readonly atMs: number;
}

const LIVE_WINDOWS = 4;
const SHORT_CONTEXT = 20 * SAMPLE_RATE_HZ;
const nowMs = (): number => performance.timeOrigin + performance.now();

/** The embedded networks on one thread, as on a CPU, and what it runs in which order. */
async function recordedEngine() {
  const runs: EngineRun[] = [];
  const channel = new BroadcastChannel('engine-runs');
  channel.onmessage = (message) => runs.push((message as { data: EngineRun }).data);
  const threadModule = new URL('../fixtures/crashing-engine-thread.ts', import.meta.url);
  const engine = new InferenceEngine({ device: 'cpu', threads: 0 }, () => {}, { threadModule });
  onTestFinished(async () => {
    await engine.close();
    channel.close();
  });
  const { folder, name: modelName } = WHISPER_TINY_EN;
  const whisper = { modelName, folder, computeType: 'float32', batchSize: 2 } as const;
  const models = {
    voiceActivity: await SileroVad.load(engine, embeddedPath('silero-vad')),
    segmentation: await PyannoteSegmentation.load(engine),
    embedding: await SpeakerEncoder.load(engine),
    recognizer: await WhisperRecognizer.load(engine, whisper),
  };
  return { runs, models };
}

test('a live window waits for one run at most while a long file is heard, with its speakers', async () => {
  const { runs, models } = await recordedEngine();
  const sample = sampleWaveform();
  const rounds = 3;
  const waveform = {
    sampleCount: rounds * sample.length,
    read: ({ start, end }: { start: number; end: number }) =>
      Promise.resolve(
        Float32Array.from({ length: end - start }, (_, i) => sample[(start + i) % sample.length]!),
      ),
  };
  const { signal } = new AbortController();
  const stop = new AbortController();
  const file = processRecording(
    waveform,
    {
      transcribe: { ...DEFAULT_TRANSCRIBE_OPTIONS, language: 'en' },
      diarize: DEFAULT_DIARIZE_OPTIONS,
      postprocess: DEFAULT_POSTPROCESS_OPTIONS,
    },
    models,
    {},
    stop.signal,
  );
  const live = async (): Promise<EngineRun[]> => {
    const submittedAtMs = nowMs();
    await models.recognizer.recognize(
      {
        ...{ waveform: sample.slice(0, 5 * SAMPLE_RATE_HZ), task: 'transcribe', language: 'en' },
        ...{ timestamps: true, temperature: 0, prompt: null, shortContext: true },
        scheduling: { priority: 'realtime', tenant: 'live' },
      },
      signal,
    );
    await new Promise((resolve) => setTimeout(resolve, 5)); // the channel is slower than the answer
    const later = runs.filter(({ atMs }) => atMs >= submittedAtMs);
    return later.slice(
      0,
      later.findIndex(({ samples }) => samples === SHORT_CONTEXT),
    );
  };
  await expect
    .poll(() => runs.some(({ session }) => session === 'whisper'), { timeout: 60_000 })
    .toBe(true);
  const before: EngineRun[][] = [];
  for (let round = 0; round < LIVE_WINDOWS; round++) before.push(await live());
  stop.abort();
  await expect(file).rejects.toThrow('abort'); // it was not done yet
  const kinds = runs.map(({ session }) => session);
  for (const kind of ['speaker-segmentation', 'vad', 'whisper']) expect(kinds).toContain(kind);
  // What the thread was given in the moment between the request and its place in the queue.
  expect(Math.max(...before.map(({ length }) => length))).toBeLessThanOrEqual(1);
  process.stderr.write(
    `runs before ${before.length} live windows: ${before.map((b) => b.length)}\n`,
  );
}, 120_000);
