import { expect, test } from 'vitest';
import { LiveClient } from './live-client.ts';

/** Of a tenant that may have one session at a time. */
export const KEY_OF_ONE = 'secret-of-one';

/** Limits in the words of both protocols. */
export function describeUsedUp(portOf: () => number): void {
  test('who has too many sessions is told in the words of the protocol, and to come later', async () => {
    const port = portOf();
    const headers = { authorization: `Bearer ${KEY_OF_ONE}` };
    const listen = () =>
      new LiveClient(`ws://127.0.0.1:${port}/v1/listen?encoding=linear16`, headers);
    const first = listen();
    await first.send(Buffer.alloc(3200), { type: 'Finalize' });
    await first.hears('Results');
    const second = listen();
    expect(await second.hears('Error')).toMatchObject({ variant: 'TOO_MANY_REQUESTS' });
    expect(await second.closed).toEqual([4429, 'CONCURRENCY_LIMITED']);
    const third = new LiveClient(`ws://127.0.0.1:${port}/v1/realtime`, headers);
    const audio = Buffer.alloc(4800).toString('base64');
    await third.send({ type: 'input_audio_buffer.append', audio });
    expect(await third.hears('error')).toMatchObject({
      error: { type: 'rate_limit_error', code: 'concurrency_limited' },
    });
    expect(await third.closed).toEqual([4429, 'CONCURRENCY_LIMITED']);
    await first.send({ type: 'CloseStream' });
    expect(await first.closed).toEqual([1000, 'ended']);
  });
}
