import { readFileSync } from 'node:fs';
import { afterAll, expect, test } from 'vitest';
import { loadConfig } from '../../core/config.ts';
import { InferenceEngine } from '../../models/engine/engine.ts';
import { AlignmentRegistry } from '../../models/wav2vec2/alignment-registry.ts';
import { alignTranscript } from '../../pipeline/alignment/align-transcript.ts';
import type { Scheduling, Transcript } from '../../pipeline/contracts.ts';
import { startHubServer } from '../fakes/hub-server.ts';
import { describeWithShared, sharedPath } from '../golden/shared-data.ts';
import { QUICK, temporaryFolder } from './hub/hub-workbench.ts';

const CHARACTERS = ['<pad>', '<s>', '</s>', '<unk>', '|', ..."ABCDEFGHIJKLMNOPQRSTUVWXYZ'"];
const COMMIT = 'a'.repeat(40);
const scheduling: Scheduling = { priority: 'file', tenant: null };
const { signal } = new AbortController();

function repo(model: string) {
  const file = (name: string): Buffer => readFileSync(sharedPath('models', model, name));
  const vocabulary = Object.fromEntries(CHARACTERS.map((character, id) => [character, id]));
  return {
    files: {
      'model.safetensors': file('model.safetensors'),
      'config.json': file('config.json'),
      'vocab.json': Buffer.from(JSON.stringify(vocabulary)),
      'pytorch_model.bin': Buffer.from('pickle'),
    },
  };
}

const tone = (samples: number): Float32Array<ArrayBuffer> =>
  Float32Array.from({ length: samples }, (_, i) => 0.3 * Math.sin(i / (20 + i / 4000)));

describeWithShared('alignment models', () => {
  const engine = new InferenceEngine({ device: 'cpu', threads: 0 }, (error) => {
    throw error;
  });
  afterAll(() => engine.close());

  async function registry(maxLoaded: number) {
    const ja = 'jonatasgrosman/wav2vec2-large-xlsr-53-japanese';
    const hub = await startHubServer({
      'facebook/wav2vec2-base-960h': repo('wav2vec2-random-base'),
      [ja]: { ...repo('wav2vec2-random-large'), revisions: { 'refs/pr/2': COMMIT } },
    });
    const root = await temporaryFolder();
    const options = {
      ...loadConfig({ RUNPOD_MODEL_CACHE: '', MODEL_VOLUME: '' }).hub,
      endpoint: hub.endpoint,
      home: root,
      // A host that a busy machine makes slow is not left: each byte comes once for each download.
      tuning: { ...QUICK, stallMs: 60_000 },
    };
    const models = new AlignmentRegistry(
      engine,
      { hub: options, computeType: 'float32', maxLoaded },
      signal,
    );
    return { hub, models };
  }

  test('a model is loaded once for all that wait, from its pull request where it must', async () => {
    const { hub, models } = await registry(2);
    const [one, other] = await Promise.all([models.forLanguage('ja'), models.forLanguage('ja')]);
    expect(one).toBe(other);
    const weights = hub.requests.filter(({ file }) => file === 'model.safetensors');
    const sent = weights.flatMap((request) => request.sent).map(([start, end]) => end - start);
    const bytes = repo('wav2vec2-random-large').files['model.safetensors'].length;
    expect(sent.reduce((sum, length) => sum + length, 0)).toBe(bytes);
    expect(hub.requests.some(({ file }) => file === 'pytorch_model.bin')).toBe(false);
    expect(one).toMatchObject({ samplesPerFrame: 320, receptiveFieldSamples: 400 });
    expect(one!.vocabulary).toMatchObject({ blankId: 0, delimiterId: 4 });
    expect(one!.vocabulary.classOf.get('A')).toBe(5);
    expect(await models.forLanguage('xx')).toBeNull();
    await expect(models.forLanguage('ko')).rejects.toMatchObject({ name: 'SttError' });
    await hub.close();
  });

  test('a model that made room still answers whoever holds it', async () => {
    const { hub, models } = await registry(1);
    const english = await models.forLanguage('en');
    await models.forLanguage('ja');
    const heard = [16_000, 9000, 100].map((samples) =>
      english!.emissions(tone(samples), scheduling, signal),
    );
    const emissions = await Promise.all(heard);
    expect(emissions.map(({ frames }) => frames)).toEqual([49, 27, 1]);
    const [first] = emissions;
    const total = first!.logProbs.slice(0, 32).reduce((sum, value) => sum + Math.exp(value), 0);
    expect(total).toBeCloseTo(1, 4);
    expect(await models.forLanguage('en')).not.toBe(english);
    await hub.close();
  });

  test('a transcript says how its words were timed, and why not by a model', async () => {
    const { hub, models } = await registry(2);
    const samples = tone(40_000);
    const waveform = {
      sampleCount: samples.length,
      read: ({ start, end }: { start: number; end: number }) =>
        Promise.resolve(samples.slice(start, end)),
    };
    const range = { start: 8000, end: 32_000 };
    const words = ['Hello', 'there,', '42', '—'].map((text) => ({ text, range, confidence: 0.9 }));
    const transcript = (language: string): Transcript => ({
      segments: [
        {
          ...{ text: 'Hello there, 42 —', range, words, confidence: 0.9, avgLogProb: -0.1 },
          ...{ noSpeechProb: 0, compressionRatio: 1, temperature: 0 },
        },
      ],
      ...{ language, languageProbability: 1, audioSamples: 40_000, modelName: 'm' },
      ...{ alignment: 'attention', warnings: [] },
    });
    const align = (language: string, alignment: 'auto' | 'ctc') =>
      alignTranscript(transcript(language), waveform, models, { alignment, scheduling }, signal);
    const aligned = await align('en', 'auto');
    expect(aligned.alignment).toBe('ctc');
    expect(aligned.segments[0]!.words.map(({ text }) => text)).toEqual(
      words.map(({ text }) => text),
    );
    expect(await align('xx', 'auto')).toEqual(transcript('xx'));
    for (const language of ['xx', 'ko']) {
      const { alignment, warnings } = await align(language, 'ctc');
      expect([alignment, warnings[0]?.code]).toEqual(['attention', 'ALIGNMENT_UNAVAILABLE']);
    }
    await hub.close();
  });
});
