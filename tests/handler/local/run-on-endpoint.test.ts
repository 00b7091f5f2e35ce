import { expect, test } from 'vitest';
import { startRunpodClientApi } from '../../fakes/runpod-client-api.ts';
import { harness, JOB } from './local-harness.ts';

test('--endpoint sends files instead of loading a model', async () => {
  const output = { transcript: 'from afar', segments: [], formatted: 'from afar\n' };
  const api = await startRunpodClientApi({ status: [{ status: 'COMPLETED', output }] });
  try {
    const env = { RUNPOD_API_KEY: 'key-1' };
    const { run, stdout, engine, fileWith } = await harness({ env, baseUrl: api.baseUrl });
    await fileWith('a.wav', 'RIFF-content');
    expect(await run('a.wav', '--endpoint', 'abc', '--format', 'text')).toBe(0);
    expect(stdout.text).toBe('from afar\n');
    expect(engine.created).toBe(0);
    expect(api.requests[0]).toMatchObject({
      path: '/v2/abc/run',
      authorization: 'Bearer key-1',
      body: {
        input: {
          audio_base64: Buffer.from('RIFF-content').toString('base64'),
          output_format: 'text',
        },
      },
    });
  } finally {
    await api.close();
  }
});

test('a job that failed on the endpoint has failed', async () => {
  const error = { code: 'LANGUAGE_UNSUPPORTED', message: 'only en', retryable: false };
  const api = await startRunpodClientApi({ status: [{ status: 'FAILED', error }] });
  try {
    const env = { RUNPOD_API_KEY: 'key-1' };
    const { run, stdout, stderr } = await harness({ env, baseUrl: api.baseUrl });
    expect(await run('--endpoint', 'abc', '--test_input', JSON.stringify(JOB))).toBe(1);
    expect(JSON.parse(stdout.text)).toEqual({ error });
    expect(stderr.text).toContain('LANGUAGE_UNSUPPORTED: only en');
  } finally {
    await api.close();
  }
});
