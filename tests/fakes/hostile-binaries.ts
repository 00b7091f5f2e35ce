import { gzipSync } from 'node:zlib';
import { chunk, noise, wavBytes } from './wav-bytes.ts';

const ascii = (text: string): Buffer => Buffer.from(text, 'latin1');
const riff = (...chunks: Buffer[]): Buffer =>
  chunk('RIFF', Buffer.concat([ascii('WAVE'), ...chunks]), 0xffff_ffff);
const box = (type: string, body: Buffer, claimedBytes = body.length + 8): Buffer => {
  const head = Buffer.alloc(8);
  head.writeUInt32BE(claimedBytes >>> 0);
  head.write(type, 4, 'latin1');
  return Buffer.concat([head, body]);
};
const FTYP = box('ftyp', ascii('M4A \0\0\0\0M4A '));
const nested = (type: string, depth: number): Buffer => {
  const heads = Buffer.alloc(8 * depth);
  for (let level = 0; level < depth; level += 1) {
    heads.writeUInt32BE(8 * (depth - level), 8 * level);
    heads.write(type, 8 * level + 4, 'latin1');
  }
  return heads;
};
const wav = wavBytes(noise(1600));
const NOTHING = Buffer.alloc(0);

/** What it is, its bytes, and its error code: two where versions of ffmpeg differ. */
export const HOSTILE_BINARIES: readonly (readonly [string, Buffer, string])[] = [
  [
    'a picture with a WAV inside',
    Buffer.concat([ascii('\x89PNG\r\n\x1a\n'), wav]),
    'AUDIO_UNSUPPORTED',
  ],
  ['a PDF with a WAV inside', Buffer.concat([ascii('%PDF-1.7\n'), wav]), 'AUDIO_UNSUPPORTED'],
  ['a ZIP with a WAV inside', Buffer.concat([ascii('PK\x03\x04\x14\0'), wav]), 'AUDIO_UNSUPPORTED'],
  ['a compressed WAV', gzipSync(wav), 'AUDIO_UNSUPPORTED'],
  ['a program', ascii('\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0'), 'AUDIO_UNSUPPORTED'],
  [
    'an AVI of a header',
    chunk('RIFF', ascii('AVI LIST'), 8),
    'AUDIO_UNDECODABLE or AUDIO_WITHOUT_SOUND',
  ],
  ['a WAV that goes on as a ZIP', riff(ascii('PK\x03\x04aaaaaaaaaaaa')), 'AUDIO_UNDECODABLE'],
  [
    'a WAV of a million empty chunks',
    riff(Buffer.alloc(8_000_000, 'JUNK\0\0\0\0')),
    'AUDIO_UNDECODABLE',
  ],
  [
    'a WAV whose format has 4 GB',
    riff(chunk('fmt ', Buffer.alloc(16), 0xffff_ffff)),
    'AUDIO_UNDECODABLE',
  ],
  [
    'a WAV whose tags have 4 GB',
    riff(chunk('LIST', ascii('INFO'), 0xffff_fffe)),
    'AUDIO_UNDECODABLE',
  ],
  [
    'a WAV with 4 GB of samples that are not there',
    wavBytes(new Int16Array(0), { claimedDataBytes: 0xffff_fff0 }),
    'AUDIO_EMPTY',
  ],
  [
    'a WAV of 65535 channels',
    wavBytes(noise(1600), { claimedChannels: 65_535 }),
    'AUDIO_UNDECODABLE',
  ],
  ['a WAV at 4 GHz', wavBytes(noise(1600), { rateHz: 0xffff_ffff }), 'AUDIO_UNDECODABLE'],
  [
    'a 64-bit WAV of 16 EB',
    Buffer.concat([ascii('RF64\xff\xff\xff\xffWAVE'), chunk('ds64', Buffer.alloc(28, 0xff), 28)]),
    'AUDIO_UNDECODABLE',
  ],
  ['an MP3 with a tag of 256 MB', ascii('ID3\x04\0\0\x7f\x7f\x7f\x7f'), 'AUDIO_UNDECODABLE'],
  [
    'an MP4 with an index of 4 GB',
    Buffer.concat([FTYP, box('moov', NOTHING, 0xffff_ffff)]),
    'AUDIO_UNDECODABLE or AUDIO_WITHOUT_SOUND',
  ],
  [
    'an MP4 box of 2^63 bytes',
    Buffer.concat([FTYP, box('moov', Buffer.alloc(8, 0x7f), 1)]),
    'AUDIO_UNDECODABLE or AUDIO_WITHOUT_SOUND',
  ],
  [
    'an MP4 nested 100,000 deep',
    Buffer.concat([FTYP, nested('moov', 100_000)]),
    'AUDIO_UNDECODABLE',
  ],
  [
    'an MP4 that refers to another file',
    Buffer.concat([
      FTYP,
      box(
        'moov',
        box('rmra', box('rmda', box('rdrf', ascii('\0\0\0\0url \0\0\0\x10http://127.0.0.1')))),
      ),
    ]),
    'AUDIO_UNDECODABLE or AUDIO_WITHOUT_SOUND',
  ],
  [
    'a Matroska head of 2^56 bytes',
    ascii('\x1a\x45\xdf\xa3\x01\xff\xff\xff\xff\xff\xff\xfe'),
    'AUDIO_UNDECODABLE',
  ],
  [
    'a FLAC of 2^36 samples without one',
    Buffer.concat([
      ascii('fLaC\x80\0\0\x22\x10\0\x10\0'),
      Buffer.alloc(6),
      Buffer.from('0ac442ffffffffff', 'hex'),
      Buffer.alloc(16),
    ]),
    'AUDIO_UNDECODABLE or AUDIO_EMPTY',
  ],
  [
    'a FLAC of endless metadata',
    Buffer.concat([ascii('fLaC'), Buffer.alloc(400_000, '\x01\0\0\0')]),
    'AUDIO_UNDECODABLE',
  ],
  [
    'an Ogg of pages without packets',
    Buffer.alloc(280_000, ascii(`OggS\0\x02${'\0'.repeat(20)}\0\0`)),
    'AUDIO_UNDECODABLE',
  ],
];
