import { expect, test } from 'vitest';
import { recogniseMedia } from '../../../audio/media-type.ts';

const KNOWN = [
  ['RIFF\x24\0\0\0WAVEfmt ', 'wav'],
  ['RF64\xff\xff\xff\xffWAVEds64', 'wav'],
  ['RIFX\0\0\0\x24WAVEfmt ', 'wav'],
  ['ID3\x04\0\0\0\0\0\0', 'mp3'],
  ['\xff\xfb\x90\x64', 'mp3'],
  ['\xff\xf3\x40\xc4', 'mp3'],
  ['\xff\xfd\x90\x04', 'mp3'],
  ['\0\0\0\x20ftypM4A ', 'mp4'],
  ['\0\0\0\x18ftyp3gp4', 'mp4'],
  ['\0\0\0\x14ftypqt  ', 'mp4'],
  ['\0\0\0\x08wide\0\0\0\0mdat', 'mp4'],
  ['fLaC\0\0\0\x22', 'flac'],
  ['OggS\0\x02', 'ogg'],
  ['\x1a\x45\xdf\xa3\x9f', 'matroska'],
] as const;

const UNKNOWN = {
  'an AVI': 'RIFF\x24\0\0\0AVI LIST',
  'a WebP image': 'RIFF\x24\0\0\0WEBPVP8 ',
  'UTF-16 text': '\xff\xfeH\0e\0l\0',
  'a JPEG': '\xff\xd8\xff\xe0\0\x10JFIF',
  'a playlist': '#EXTM3U\n#EXT-X-VERSION:3',
  'a manifest': '<?xml version="1.0"?><MPD',
  'a concat script': 'ffconcat version 1.0',
  'half of a signature': 'RIF',
  'MP3 with an invalid rate': '\xff\xfb\x9c\x64',
  'raw AAC': '\xff\xf1\x50\x80',
};

test('each of the seven formats is recognised by its first bytes', () => {
  for (const [head, mediaType] of KNOWN) {
    expect(recogniseMedia(Buffer.from(head, 'latin1'))).toBe(mediaType);
  }
});

for (const [kind, head] of Object.entries(UNKNOWN)) {
  test(`${kind} is not recognised`, () => {
    expect(recogniseMedia(Buffer.from(head, 'latin1'))).toBeUndefined();
  });
}
