import { readdirSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openAudio } from '../../audio/open-audio.ts';
import { loadConfig } from '../../core/config.ts';
import { type LoadedModels, loadModels } from '../../models/load-models.ts';
import { DEFAULT_TRANSCRIBE_OPTIONS } from '../../pipeline/options.ts';
import { transcribe } from '../../pipeline/transcribe.ts';
import { describeWithShared, embeddedPath, sharedPath } from './shared-data.ts';

const LANGUAGES = ['de', 'fr', 'ja', 'ko', 'ru', 'zh'];
const { signal } = new AbortController();

describeWithShared('a model of English that is given no language', () => {
  let models: LoadedModels;
  beforeAll(async () => {
    const whisper = { name: 'whisper-tiny.en', folder: embeddedPath('whisper-tiny.en') };
    const settings = { device: 'cpu', threads: 0, computeType: 'auto', batchSize: 2 } as const;
    models = await loadModels({ ...settings, whisper }, () => {});
  });
  afterAll(() => models.close());

  async function resultOf(folder: string, file: string) {
    const limits = { ...loadConfig({}).audio, root: sharedPath('audio') };
    const audio = await openAudio({ kind: 'path', path: `${folder}/${file}` }, limits, signal);
    const options = { ...DEFAULT_TRANSCRIBE_OPTIONS, wordTimes: false };
    try {
      return await transcribe(audio, options, models, {}, signal);
    } finally {
      await audio.close();
    }
  }

  test.each(LANGUAGES)('doubts what it makes of %s', async (language) => {
    const [first] = readdirSync(sharedPath('audio/world', language)).toSorted();
    const { warnings, languageProbability } = await resultOf(`world/${language}`, first!);
    expect(warnings.map(({ code }) => code)).toContain('LANGUAGE_DOUBTFUL');
    expect(languageProbability).toBe(0);
  });

  test.each(['jfk.flac', 'spk1_snt1.wav', 'dev01.wav'])('does not doubt %s', async (file) => {
    const { warnings } = await resultOf('real', file);
    expect(warnings.map(({ code }) => code)).not.toContain('LANGUAGE_DOUBTFUL');
  });
});
