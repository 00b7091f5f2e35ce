import { afterAll, beforeAll, expect, test } from 'vitest';
import { SAMPLE_RATE_HZ } from '../../audio/time.ts';
import { type LoadedModels, loadModels, WHISPER_BASE } from '../../models/load-models.ts';
import { hearWindow } from '../../pipeline/realtime/hear-window.ts';
import { sampleWaveform } from '../golden/shared-data.ts';

let models: LoadedModels;
beforeAll(async () => {
  const settings = { device: 'cpu', threads: 0, computeType: 'auto', batchSize: 2 } as const;
  models = await loadModels({ ...settings, whisper: WHISPER_BASE }, () => {});
});
afterAll(() => models.close());

test('with the default model live English is decoded by tiny.en, all else by base', async () => {
  const names = await Promise.all(
    ['en', 'ko', null].map(async (language) => (await models.liveRecognizer(language)).modelName),
  );
  expect(names).toEqual([
    'embedded/whisper-tiny.en',
    'embedded/whisper-base',
    'embedded/whisper-base',
  ]);
  expect(await models.liveRecognizer('en')).toBe(await models.liveRecognizer('en'));
});

test.each(['en', null])(
  'a live window with the language %s is heard and counted',
  async (language) => {
    const before = models.recognizer.stats().waits.realtime.count;
    const window = {
      waveform: sampleWaveform().slice(0, 5 * SAMPLE_RATE_HZ),
      ...{ start: 0, language, prompt: '', isLast: true },
      scheduling: { priority: 'realtime', tenant: null },
    } as const;
    const result = await hearWindow(window, models, new AbortController().signal);
    const text = result.words.map((word) => word.text).join('');
    expect(text.toLowerCase()).toContain('good morning everyone');
    expect(result.language).toBe('en');
    expect(models.recognizer.stats().waits.realtime.count).toBe(before + 1);
  },
);
