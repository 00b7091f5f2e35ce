import { readFileSync } from 'node:fs';
import { afterAll, expect, test } from 'vitest';
import { loadConfig } from '../../core/config.ts';
import { SttError } from '../../core/errors.ts';
import { InferenceEngine } from '../../models/engine/engine.ts';
import { AlignmentRegistry } from '../../models/wav2vec2/alignment-registry.ts';
import { alignTranscript } from '../../pipeline/alignment/align-transcript.ts';
import type { Scheduling, Transcript } from '../../pipeline/contracts.ts';
import { startHubServer } from '../fakes/hub-server.ts';
import { describeWithShared, sharedPath } from '../golden/shared-data.ts';
import { QUICK, temporaryFolder } from './hub/hub-workbench.ts';

const CHARACTERS = ['<pad>', '<s>', '</s>', '<unk>', '|', ..."ABCDEFGHIJKLMNOPQRSTUVWXYZ'"];
const COMMIT = 'a'.repeat(40);
/** Either of the two takes about 310 KB. */
const ONE_MODEL_BYTES = 500_000;
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

/** Has no memory for another session while `isFull`, until one is unloaded. */
class SmallEngine extends InferenceEngine {
  isFull = false;
  unloaded = 0;

  override load(...what: Parameters<InferenceEngine['load']>): Promise<void> {
    return this.isFull
      ? Promise.reject(new SttError('GPU_OUT_OF_MEMORY', 'The device has too little memory'))
      : super.load(...what);
  }

  override async unload(session: string): Promise<void> {
    await super.unload(session);
    this.isFull = false;
    this.unloaded += 1;
  }
}

describeWithShared('alignment models', () => {
  const engine = new SmallEngine({ device: 'cpu', threads: 0 }, (error) => {
    throw error;
  });
  afterAll(() => engine.close());

  async function registry(maxBytes?: number) {
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
      { hub: options, computeType: 'float32', maxBytes },
      signal,
    );
    return { hub, models };
  }

  test('a model is loaded once for all that wait, from its pull request where it must', async () => {
    const { hub, models } = await registry();
    const [one, other] = await Promise.all([
      models.forLanguage('ja', signal),
      models.forLanguage('ja', signal),
    ]);
    expect(one).toBe(other);
    const weights = hub.requests.filter(({ file }) => file === 'model.safetensors');
    const sent = weights.flatMap((request) => request.sent).map(([start, end]) => end - start);
    const bytes = repo('wav2vec2-random-large').files['model.safetensors'].length;
    expect(sent.reduce((sum, length) => sum + length, 0)).toBe(bytes);
    expect(hub.requests.some(({ file }) => file === 'pytorch_model.bin')).toBe(false);
    expect(one).toMatchObject({ samplesPerFrame: 320, receptiveFieldSamples: 400 });
    expect(one!.vocabulary).toMatchObject({ blankId: 0, delimiterId: 4 });
    expect(one!.vocabulary.classOf.get('A')).toBe(5);
    expect(await models.forLanguage('xx', signal)).toBeNull();
    await expect(models.forLanguage('ko', signal)).rejects.toMatchObject({ name: 'SttError' });
    await hub.close();
  });

  test('a model that made room still answers whoever holds it', async () => {
    const { hub, models } = await registry(ONE_MODEL_BYTES);
    const english = await models.forLanguage('en', signal);
    await models.forLanguage('ja', signal);
    const heard = [16_000, 9000, 100].map((samples) =>
      english!.emissions(tone(samples), scheduling, signal),
    );
    const emissions = await Promise.all(heard);
    expect(emissions.map(({ frames }) => frames)).toEqual([49, 27, 1]);
    const [first] = emissions;
    const total = first!.logProbs.slice(0, 32).reduce((sum, value) => sum + Math.exp(value), 0);
    expect(total).toBeCloseTo(1, 4);
    expect(await models.forLanguage('en', signal)).not.toBe(english);
    await hub.close();
  });

  test('the budget is of weights: what fits is kept, what was asked for last stays longest', async () => {
    const { hub, models } = await registry(2 * ONE_MODEL_BYTES);
    const english = await models.forLanguage('en', signal);
    await models.forLanguage('ja', signal);
    expect(await models.forLanguage('en', signal)).toBe(english);
    expect([models.supports('ja'), models.supports('xx')]).toEqual([true, false]);
    await hub.close();
  });

  test('who gives up waiting is answered at once; the download goes on for who still waits', async () => {
    const { hub, models } = await registry();
    const jobs = [new AbortController(), new AbortController()];
    const [gone, stays] = jobs.map((job) => models.forLanguage('en', job.signal));
    jobs[0]!.abort(new Error('cancelled'));
    await expect(gone).rejects.toThrow('cancelled');
    expect(await stays).toMatchObject({ samplesPerFrame: 320 });

    const alone = new AbortController();
    const given = models.forLanguage('ja', alone.signal);
    alone.abort(new Error('cancelled too'));
    await expect(given).rejects.toThrow('cancelled too');
    // Nothing failed: the next job may have it.
    expect(await models.forLanguage('ja', signal)).toMatchObject({ samplesPerFrame: 320 });
    await hub.close();
  });

  test('models are loaded at the start where that is asked for', async () => {
    const { hub, models } = await registry();
    await models.preload(['en', 'ja'], signal);
    const before = hub.requests.length;
    await models.forLanguage('ja', signal);
    expect(hub.requests).toHaveLength(before);
    await expect(models.preload(['xx'], signal)).rejects.toMatchObject({
      code: 'MODEL_NOT_FOUND',
      message: 'ALIGNMENT_PRELOAD: there is no alignment model for xx',
    });
    await hub.close();
  });

  test('when memory is too small for one more, the oldest makes room and it is tried again', async () => {
    const { hub, models } = await registry();
    await models.forLanguage('en', signal);
    engine.isFull = true;
    expect(await models.forLanguage('ja', signal)).toMatchObject({ samplesPerFrame: 320 });
    expect(engine.unloaded).toBeGreaterThan(0);
    await hub.close();
  });

  test('a transcript says how its words were timed, and why not by a model', async () => {
    const { hub, models } = await registry();
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
      ...{ alignment: 'attention', warnings: [], decodedRows: 1 },
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
