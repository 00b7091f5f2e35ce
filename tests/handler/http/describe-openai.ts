import { openAsBlob } from 'node:fs';
import OpenAI, { toFile } from 'openai';
import { expect, test } from 'vitest';

const SPOKEN = /Good morning/;

/** OpenAI's own client against a running service. */
export function describeOpenAi(
  access: () => { readonly url: string; readonly recording: string },
): void {
  const client = () =>
    new OpenAI({ baseURL: `${access().url}/v1`, apiKey: 'unused', maxRetries: 0 });

  const file = async () => await toFile(await openAsBlob(access().recording), 'talk.flac');

  test('the official client reads every format', async () => {
    const create = async (response_format: 'json' | 'text' | 'srt' | 'vtt' | 'diarized_json') =>
      await client().audio.transcriptions.create({
        file: await file(),
        model: 'whisper-1',
        response_format,
      });
    const [json, text, srt, vtt, diarized] = await Promise.all([
      create('json'),
      create('text'),
      create('srt'),
      create('vtt'),
      create('diarized_json'),
    ]);
    expect(json).toMatchObject({ text: expect.stringMatching(SPOKEN), usage: { seconds: 5 } });
    expect(text).toMatch(SPOKEN);
    expect(srt).toMatch(/^1\n00:00:00,\d{3} --> /);
    expect(vtt).toMatch(/^WEBVTT\n/);
    expect(diarized).toMatchObject({
      task: 'transcribe',
      segments: [{ type: 'transcript.text.segment', id: 'seg_0', speaker: 'SPEAKER_00' }],
    });
  });

  test('verbose_json has segments and, when asked for, words', async () => {
    const verbose = await client().audio.transcriptions.create({
      file: await file(),
      model: 'whisper-1',
      response_format: 'verbose_json',
      timestamp_granularities: ['word', 'segment'],
    });
    expect(verbose).toMatchObject({
      language: 'english',
      duration: 5,
      usage: { type: 'duration' },
    });
    expect(verbose.segments?.[0]).toMatchObject({ id: 0, avg_logprob: expect.any(Number) });
    expect(verbose.words?.slice(0, 2).map(({ word }) => word)).toEqual(['Good', 'morning']);
  });

  test('a stream of deltas makes the text', async () => {
    const stream = await client().audio.transcriptions.create({
      file: await file(),
      model: 'gpt-4o-transcribe',
      stream: true,
    });
    let written = '';
    let done = '';
    for await (const event of stream) {
      if (event.type === 'transcript.text.delta') written += event.delta;
      if (event.type === 'transcript.text.done') done = event.text;
    }
    expect(done).toMatch(SPOKEN);
    expect(written).toBe(done);
  });

  test('models are listed, and failures are errors of the client', async () => {
    const models = await client().models.list();
    expect(models.data.map(({ id }) => id)).toContain('embedded/whisper-tiny.en');
    const translate = client().audio.translations.create({
      file: await file(),
      model: 'whisper-1',
    });
    await expect(translate).rejects.toMatchObject({ status: 422, code: 'language_unsupported' });
    const unknown = client().audio.transcriptions.create({ file: await file(), model: 'other' });
    await expect(unknown).rejects.toMatchObject({ status: 404, type: 'not_found_error' });
  });
}
