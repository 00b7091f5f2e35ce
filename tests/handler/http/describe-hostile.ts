import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { HOSTILE_BINARIES } from '../../fakes/hostile-binaries.ts';
import {
  FORBIDDEN_PLACES,
  HOSTILE_SCRIPTS,
  KNOWN_TO_FFMPEG,
  LOOPBACK_HOSTS,
  SIGNATURES,
  scriptBytes,
  scriptTargets,
} from '../../fakes/hostile-inputs.ts';
import { type Victims, watchVictims } from '../../fakes/victims.ts';

/** Hostile recordings and URLs through the doors of a running service with its default rules. */
export function describeHostile(access: () => { readonly url: string }): void {
  let victims: Victims;
  beforeAll(async () => {
    victims = await watchVictims();
    for (const place of victims.unwatched) process.stderr.write(`not watched: ${place}\n`);
  });
  afterEach(() => expect(victims.connections).toEqual([]));
  afterAll(() => victims.close());

  const upload = async (bytes: Buffer) => {
    const form = new FormData();
    form.append('file', new Blob([new Uint8Array(bytes)], { type: 'audio/wav' }), 'meeting.wav');
    form.append('diarize', 'false');
    return outcomeOf(await fetch(`${access().url}/stt/upload`, { method: 'POST', body: form }));
  };
  const processUrl = async (audio_url: string) => {
    const headers = { 'content-type': 'application/json' };
    const body = JSON.stringify({ audio_url });
    const path = `${access().url}/stt/process`;
    return outcomeOf(await fetch(path, { method: 'POST', headers, body }));
  };

  test('no script is taken for a recording, and none is followed', async () => {
    const [target = ''] = scriptTargets(victims.port);
    for (const name of HOSTILE_SCRIPTS) {
      expect([name, ...(await upload(scriptBytes(name, target)))]).toEqual([
        name,
        415,
        'AUDIO_UNSUPPORTED',
      ]);
    }
    for (const signature of [SIGNATURES['wav with a header'], SIGNATURES['tagged mp3']]) {
      const disguised = KNOWN_TO_FFMPEG.map((name) => scriptBytes(name, target, signature));
      const outcomes = await Promise.all(disguised.map(upload));
      expect(outcomes).toEqual(disguised.map(() => [422, 'AUDIO_UNDECODABLE']));
    }
  });

  test('damaged and deceitful recordings are refused, and the service lives', async () => {
    for (const [what, bytes, code] of HOSTILE_BINARIES) {
      const [status, found] = await upload(bytes);
      expect([what, code.split(' or ')]).toEqual([what, expect.arrayContaining([found])]);
      expect(status).toBeGreaterThanOrEqual(400);
      expect(status).toBeLessThan(500);
    }
    expect((await fetch(`${access().url}/ping`)).status).toBe(200);
  });

  test('no spelling of a private address is asked, whatever the scheme', async () => {
    const urls = LOOPBACK_HOSTS.flatMap((host) => [
      `https://${host}/a.wav`,
      `http://${host}:${victims.port}/a.wav`,
    ]);
    for (const url of [...urls, ...FORBIDDEN_PLACES]) {
      const [status, code] = await processUrl(url);
      expect([url, status, code]).toEqual([
        url,
        expect.any(Number),
        expect.stringMatching(
          /^(?:URL_FORBIDDEN|PATH_FORBIDDEN|AUDIO_NOT_FOUND|AUDIO_FETCH_FAILED)$/,
        ),
      ]);
      expect(status).toBeLessThan(500);
    }
  });
}

const outcomeOf = async (response: Response): Promise<[number, string | undefined]> => {
  const { error } = JSON.parse(await response.text());
  expect(JSON.stringify(error ?? '')).not.toMatch(/127\.0|passwd|secret/);
  return [response.status, error?.code];
};
