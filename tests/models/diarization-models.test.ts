import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createLogger } from '../../core/logger.ts';
import type { JobResult } from '../../handler/result.ts';
import { type JobServices, runJob } from '../../handler/run-job.ts';
import { InferenceEngine } from '../../models/engine/engine.ts';
import { PyannoteSegmentation } from '../../models/segmentation/pyannote-segmentation.ts';
import { SpeakerEncoder } from '../../models/speaker-embedding/speaker-encoder.ts';
import type { DiarizeModels } from '../../pipeline/diarization/options.ts';
import { processRecording } from '../../pipeline/process-recording.ts';
import { ScriptedRecognizer } from '../fakes/scripted-recognizer.ts';
import { ScriptedVoiceActivity } from '../fakes/scripted-voice-activity.ts';
import { sampleWaveform } from '../golden/shared-data.ts';

/** The first two turns of the sample meeting, of two speakers, with a pause between. */
const samples = sampleWaveform().slice(0, 13 * 16_000);

describe('a job with the embedded networks', () => {
  const engine = new InferenceEngine({ device: 'cpu', threads: 0 }, (error) => {
    throw error;
  });
  let networks: DiarizeModels;
  beforeAll(async () => {
    networks = {
      segmentation: await PyannoteSegmentation.load(engine),
      embedding: await SpeakerEncoder.load(engine),
    };
  });
  afterAll(() => engine.close());

  async function transcribe(input: object): Promise<JobResult> {
    const recognizer: ScriptedRecognizer = new ScriptedRecognizer(() => ({
      tokens: [' One', ' two', ' three.'].map((word) => recognizer.textToken(word)),
    }));
    const voiceActivity = new ScriptedVoiceActivity([{ start: 0, end: samples.length }]);
    const waveform = {
      sampleCount: samples.length,
      read: ({ start, end }: { start: number; end: number }) =>
        Promise.resolve(samples.slice(start, end)),
      close: () => Promise.resolve(),
      warnings: [],
    };
    const services: JobServices = {
      recognizer,
      openAudio: () => Promise.resolve(waveform),
      transcribe: (audio, options, hooks, stop) =>
        processRecording(audio, options, { recognizer, voiceActivity, ...networks }, hooks, stop),
    };
    const { signal } = new AbortController();
    const job = { id: 'job', input: { audio_url: 'https://example.com/a.wav', ...input } };
    const logger = createLogger('silent', { write: () => {} });
    return (await runJob(job, services, { signal, logger, onProgress: () => {} })) as JobResult;
  }

  test('gives embeddings that name a speaker in another job', async () => {
    const result = await transcribe({ language: 'en', return_speaker_embeddings: true });
    expect(result.warnings).toEqual([]);
    const [speaker] = Object.values(result.speakers);
    expect(speaker!).toMatchObject({ embedding_model: 'campplus' });
    expect(speaker!.embedding).toHaveLength(192);

    const { embedding, embedding_model } = speaker!;
    const known_speakers = { Anna: { embedding, embedding_model } };
    const again = await transcribe({ language: 'en', known_speakers });
    expect(again.speakers['Anna']!.similarity).toBeGreaterThan(0.99);
  });

  test('refuses an embedding of another model, also of one that names none, and says what to do', async () => {
    const embedding = Array.from({ length: 256 }, () => 1 / 16);
    for (const known of [embedding, { embedding, embedding_model: 'ge2e' }]) {
      const refused = await transcribe({ language: 'en', known_speakers: { Anna: known } });
      const { error } = refused as unknown as { error: { code: string; message: string } };
      expect(error).toMatchObject({ code: 'INPUT_INVALID' });
      expect(error.message).toMatch(/made by ge2e .* campplus.* from a result of this model/);
      expect(error.message).not.toContain('Anna');
    }
  });
});
