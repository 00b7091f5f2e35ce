import { expect, test } from 'vitest';
import { jobUrl, pingUrl } from '../../../handler/runpod/urls.ts';
import { startWorker } from './running-worker.ts';

/** What the platform makes of an id is not ours to say: whatever it is, its caller waits for an answer. */
test.each(['작업 1', 'a\r\nb: c', 'a\u0000b', 'a/b?c#d%zz', '💬', 'é'])(
  'the result of a job with the id %j is posted under that id',
  async (id) => {
    const { api, stop } = await startWorker({
      scenario: { takes: [{ status: 200, body: { id, input: {} } }], idle_delay: 3600, done: [] },
      handler: async () => 'text',
    });
    await api.until(() => api.on('done').length > 0);
    const [post] = api.on('done');
    expect(post?.url).toContain(`/pod42/${encodeURIComponent(id)}?`);
    expect(post?.headers['x-request-id']).toBe(encodeURIComponent(id));
    await stop();
  },
);

test('half of a surrogate pair in an id does not keep a worker from answering', () => {
  expect(jobUrl('https://x/$ID', 'a\ud800', false)).toBe('https://x/a%EF%BF%BD?isStream=false');
  expect(pingUrl('https://x', ['a\udc00', 'b'], '1')).toContain('job_id=a%EF%BF%BD%2Cb&');
});
