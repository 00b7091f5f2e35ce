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
  ['RIFF\x24\0\0\0AVI LIST', 'avi'],
  ['FORM\0\0\0\x24AIFFCOMM', 'aiff'],
  ['FORM\0\0\0\x24AIFCFVER', 'aiff'],
  ['caff\0\x01\0\0desc', 'caf'],
  ['#!AMR\n', 'amr'],
  ['#!AMR-WB\n', 'amr'],
  ['\x30\x26\xb2\x75\x8e\x66\xcf\x11\xa6\xd9\0\xaa\0\x62\xce\x6c', 'asf'],
  ['riff\x2e\x91\xcf\x11\xa5\xd6\x28\xdb\x04\xc1\0\0', 'w64'],
  ['\xff\xf1\x50\x80\x01\x1f\xfc\0\xff\xf1\x50\x80\x01\x1f\xfc', 'aac'],
  [`G${'\0'.repeat(187)}`.repeat(3), 'mpegts'],
  [`\0\0\0\0G${'\0'.repeat(187)}`.repeat(3), 'mpegts'],
] as const;

const UNKNOWN = {
  'a WebP image': 'RIFF\x24\0\0\0WEBPVP8 ',
  'UTF-16 text': '\xff\xfeH\0e\0l\0',
  'a JPEG': '\xff\xd8\xff\xe0\0\x10JFIF',
  'a playlist': '#EXTM3U\n#EXT-X-VERSION:3',
  'a manifest': '<?xml version="1.0"?><MPD',
  'a concat script': 'ffconcat version 1.0',
  'half of a signature': 'RIF',
  'MP3 with an invalid rate': '\xff\xfb\x9c\x64',
  'half a header of ADTS': '\xff\xf1\x50\x80',
  'an ADTS header without another behind its frame': `\xff\xf1\x50\x80\x01\x1f\xfc${'\0'.repeat(9)}`,
  'text that begins with a G': `G${' and so on'.repeat(60)}`,
};

test('every format is recognised by its first bytes', () => {
  for (const [head, mediaType] of KNOWN) {
    expect(recogniseMedia(Buffer.from(head, 'latin1'))).toBe(mediaType);
  }
});

for (const [kind, head] of Object.entries(UNKNOWN)) {
  test(`${kind} is not recognised`, () => {
    expect(recogniseMedia(Buffer.from(head, 'latin1'))).toBeUndefined();
  });
}
