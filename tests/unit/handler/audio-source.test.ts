import { expect, test } from 'vitest';
import { audioSourceOf } from '../../../handler/audio-source.ts';

const fromUrl = (audio_url: string) => audioSourceOf({ audio_url, audio_base64: null });

test.each(['https://example.com/a.wav', 'http://10.0.0.1/a', 'HTTPS://EXAMPLE.COM', 'ftp://x/a'])(
  '%s is a URL',
  (url) => {
    expect(fromUrl(url)).toEqual({ kind: 'url', url });
  },
);

test('a scheme is never taken for a path, so that file: cannot reach the disk', () => {
  expect(fromUrl('file:///etc/passwd').kind).toBe('url');
  expect(fromUrl(' file:///etc/passwd').kind).toBe('url');
});

test.each(['samples/a.wav', '/data/a.wav', './https:/a.wav', '../a.wav', 'a:b.wav'])(
  '%s is a path',
  (path) => {
    expect(fromUrl(path)).toEqual({ kind: 'path', path });
  },
);

test('audio itself may come as base64 or as a data URI', () => {
  const data = 'data:audio/wav;base64,UklGRg==';
  expect(fromUrl(data)).toEqual({ kind: 'base64', data });
  expect(audioSourceOf({ audio_url: null, audio_base64: 'UklGRg==' })).toEqual({
    kind: 'base64',
    data: 'UklGRg==',
  });
});
