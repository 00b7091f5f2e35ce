import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { loadConfig } from '../../core/config.ts';
import { createLogger } from '../../core/logger.ts';
import type { JobResult } from '../../handler/result.ts';
import { type JobServices, runJob } from '../../handler/run-job.ts';
import { InferenceEngine } from '../../models/engine/engine.ts';
import { type LocatedDiarization, locateDiarization } from '../../models/locate-diarization.ts';
import { PyannoteSegmentation } from '../../models/segmentation/pyannote-segmentation.ts';
import { SpeakerEncoder } from '../../models/speaker-embedding/speaker-encoder.ts';
import { processRecording } from '../../pipeline/process-recording.ts';
import { type FakeRepo, type HubServer, startHubServer } from '../fakes/hub-server.ts';
import { ScriptedRecognizer } from '../fakes/scripted-recognizer.ts';
import { ScriptedVoiceActivity } from '../fakes/scripted-voice-activity.ts';
import { powersetNetwork, resnetNetwork, tonesOf } from '../fakes/voice-networks.ts';
import { failureOf, QUICK, temporaryFolder } from './hub/hub-workbench.ts';

const PYANNOTE = 'onnx-community/pyannote-segmentation-3.0';
const WESPEAKER = 'onnx-community/wespeaker-voxceleb-resnet34-LM';
const { signal } = new AbortController();

const REPOS: Readonly<Record<string, FakeRepo>> = {
  [PYANNOTE]: {
    files: {
      'config.json': Buffer.from('{"model_type":"pyannote"}'),
      'onnx/model.onnx': powersetNetwork(),
      'onnx/model_fp16.onnx': Buffer.from('not wanted'),
    },
  },
  [WESPEAKER]: { files: { 'onnx/model.onnx': resnetNetwork() } },
  'someone/plain': { files: { 'model.onnx': resnetNetwork(), 'README.md': Buffer.from('a') } },
  'someone/empty': { files: { 'config.json': Buffer.from('{}') } },
};

/** A tone of 400 Hz says five words, then one of 1500 Hz five more; for two seconds both. */
const DURATION_SEC = 24;
const samples = tonesOf(
  [
    { voice: 0, startSec: 0, endSec: 13 },
    { voice: 1, startSec: 11, endSec: 24 },
  ],
  DURATION_SEC,
);
const WORDS = [
  'One',
  ' two',
  ' three',
  ' four',
  ' five.',
  ' Six',
  ' seven',
  ' eight',
  ' nine',
  ' ten.',
];

describe('networks from the Hub', async () => {
  const engine = new InferenceEngine({ device: 'cpu', threads: 0 }, (error) => {
    throw error;
  });
  const hub: HubServer = await startHubServer(REPOS);
  afterAll(async () => {
    await engine.close();
    await hub.close();
  });
  const hubOptions = (cache: string, offline = false) => ({
    ...loadConfig({ RUNPOD_MODEL_CACHE: '', MODEL_VOLUME: '' }).hub,
    ...{ endpoint: hub.endpoint, offline, cache, tuning: QUICK },
  });
  const locate = async (
    model: Parameters<typeof locateDiarization>[0]['model'],
    device: 'cpu' | 'cuda' = 'cpu',
    cache?: string,
  ): Promise<LocatedDiarization> =>
    locateDiarization(
      { model, device },
      hubOptions(cache ?? join(await temporaryFolder(), 'hub')),
      signal,
    );

  async function transcribe(found: LocatedDiarization, input: object): Promise<JobResult> {
    const segmentation = await PyannoteSegmentation.load(engine, found.segmentation.folder);
    const embedding = await SpeakerEncoder.load(engine, found.embedding);
    const recognizer: ScriptedRecognizer = new ScriptedRecognizer(() => ({
      tokens: WORDS.map((word) => recognizer.textToken(word)),
    }));
    const voiceActivity = new ScriptedVoiceActivity([{ start: 0, end: samples.length }]);
    const waveform = {
      sampleCount: samples.length,
      read: ({ start, end }: { start: number; end: number }) =>
        Promise.resolve(samples.slice(start, end)),
      close: () => Promise.resolve(),
      warnings: [],
    };
    const models = { recognizer, voiceActivity, segmentation, embedding };
    const services: JobServices = {
      openAudio: () => Promise.resolve(waveform),
      transcribe: (audio, options, hooks, stop) =>
        processRecording(audio, options, models, hooks, stop),
    };
    const job = { id: 'job', input: { audio_url: 'https://example.com/a.wav', ...input } };
    const logger = createLogger('silent', { write: () => {} });
    return (await runJob(job, services, { signal, logger, onProgress: () => {} })) as JobResult;
  }

  test('pyannote’s are the default on a GPU, and tell the people of a job apart', async () => {
    const found = await locate({ preset: 'auto' }, 'cuda');
    expect(found.segmentation).toMatchObject({
      name: 'pyannote-segmentation-3.0',
      isEmbedded: false,
    });
    const asked = hub.requests.map(({ file }) => file);
    expect(asked).not.toContain('onnx/model_fp16.onnx');
    const result = await transcribe(found, { language: 'en', return_speaker_embeddings: true });
    expect(result.warnings).toEqual([]);
    expect(result.segments.map(({ speaker, text }) => [speaker, text])).toEqual([
      ['SPEAKER_00', 'One two three four five.'],
      ['SPEAKER_01', 'Six seven eight nine ten.'],
    ]);
    const { SPEAKER_00: first, SPEAKER_01: second } = result.speakers;
    expect(first).toMatchObject({ embedding_model: 'wespeaker-voxceleb-resnet34-LM' });
    expect(first!.embedding).toHaveLength(256);

    const known = {
      Anna: { embedding: second!.embedding, embedding_model: second!.embedding_model },
    };
    const again = await transcribe(found, { language: 'en', known_speakers: known });
    expect(again.segments.map(({ speaker }) => speaker)).toEqual(['SPEAKER_00', 'Anna']);
    expect(again.speakers['Anna']!.similarity).toBeGreaterThan(0.99);
    expect(again.speakers['SPEAKER_00']).not.toHaveProperty('similarity');
  });

  test('a voice of another model of the same size is refused, and says which', async () => {
    const found = await locate({ preset: 'pyannote' });
    const embedding = Array.from({ length: 256 }, () => 1 / 16);
    const refused = async (known: unknown) =>
      transcribe(found, { language: 'en', known_speakers: { Anna: known } });
    for (const known of [embedding, { embedding, embedding_model: 'ge2e' }]) {
      const { error } = (await refused(known)) as unknown as { error: { message: string } };
      expect(error).toMatchObject({ code: 'INPUT_INVALID' });
      expect(error.message).toMatch(/made by ge2e .* wespeaker-voxceleb-resnet34-LM/);
      expect(error.message).not.toContain('Anna');
    }
  });

  test('on a CPU what comes with the project is the default, without asking the Hub', async () => {
    const before = hub.requests.length;
    for (const model of [{ preset: 'auto' }, { preset: 'embedded' }] as const) {
      const { segmentation, embedding } = await locate(model);
      expect([segmentation.isEmbedded, embedding.isEmbedded]).toEqual([true, true]);
      expect(embedding.name).toBe('ge2e');
    }
    expect(hub.requests).toHaveLength(before);
  });

  test('repositories and folders can be named, also with the file at the top', async () => {
    const embedded = (await locate({ preset: 'embedded' })).segmentation.folder;
    const found = await locate({
      preset: 'named',
      segmentation: embedded,
      embedding: 'someone/plain@main',
    });
    expect(found.segmentation).toMatchObject({ folder: embedded, isEmbedded: false });
    expect(found.embedding.name).toBe('plain');
    expect((await SpeakerEncoder.load(engine, found.embedding)).dimensions).toBe(256);
  });

  test('offline a cached pair is used, a missing one is an error that names it', async () => {
    const cache = join(await temporaryFolder(), 'hub');
    const offline = () =>
      locateDiarization(
        { model: { preset: 'pyannote' }, device: 'cpu' },
        hubOptions(cache, true),
        signal,
      );
    const failure = await failureOf(offline());
    expect(failure.code).toBe('MODEL_NOT_FOUND');
    expect(failure.message).toContain(PYANNOTE);
    await locate({ preset: 'pyannote' }, 'cpu', cache);
    expect((await offline()).embedding.isEmbedded).toBe(false);
  });

  test('what is no such network is an error when it is looked for or loaded', async () => {
    const missing = locate({
      preset: 'named',
      segmentation: 'someone/empty',
      embedding: WESPEAKER,
    });
    expect(await failureOf(missing)).toMatchObject({
      code: 'MODEL_NOT_FOUND',
      message: expect.stringContaining('model.onnx or onnx/model.onnx'),
    });
    const { segmentation, embedding } = await locate({ preset: 'embedded' });
    const swapped = await failureOf(PyannoteSegmentation.load(engine, embedding.folder));
    expect(swapped.code).toBe('MODEL_LOAD_FAILED');
    const other = await failureOf(
      SpeakerEncoder.load(engine, { name: 'x', folder: segmentation.folder }),
    );
    expect(other.code).toBe('MODEL_LOAD_FAILED');
  });
});
