import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Texts that make careless programs fetch what they name, and spellings of private addresses. */
const FIXTURES = join(import.meta.dirname, '../fixtures/hostile');

export const HOSTILE_SCRIPTS: readonly string[] = readdirSync(FIXTURES).filter(
  (name) => name !== 'README.md',
);

/** What ffmpeg would follow if it were let. */
export const KNOWN_TO_FFMPEG = [
  'playlist.m3u8',
  'key-and-map.m3u8',
  'script.ffconcat',
  'manifest.mpd',
];

/** How recordings of each kind begin. */
export const SIGNATURES: Readonly<Record<string, string>> = {
  wav: 'RIFF\x24\x10\0\0WAVE',
  'wav with a header': 'RIFF\x24\x10\0\0WAVEfmt \x10\0\0\0',
  mp3: '\xff\xfb\x90\x64',
  'tagged mp3': 'ID3\x04\0\0\0\0\0\0',
  mp4: '\0\0\0\x14ftypM4A \0\0\0\0M4A ',
  flac: 'fLaC',
  ogg: 'OggS\0\x02',
  matroska: '\x1a\x45\xdf\xa3\x9f',
};

/** A script that points to `target`, behind a signature if it is to be taken for a recording. */
export function scriptBytes(name: string, target: string, signature = ''): Buffer {
  const text = readFileSync(join(FIXTURES, name), 'utf8').replaceAll('{{TARGET}}', target);
  return Buffer.from(signature + text, 'latin1');
}

export const scriptTargets = (port: number): readonly string[] => [
  `http://127.0.0.1:${port}/a.ts`,
  'file:///etc/passwd',
  `concat:http://127.0.0.1:${port}/a.ts|/etc/passwd`,
];

/** Hosts that are this machine, by number or by a name that a resolver would turn into one. */
export const LOOPBACK_HOSTS: readonly string[] = [
  ...['127.0.0.1', '127.1', '2130706433', '0x7f000001', '0x7f.1', '0177.0.0.1', '017700000001'],
  ...['１２７.0.0.1', '①②⑦.0.0.1', '127.0.0.1.', '0', '0.0.0.0', 'localhost', 'LOCALHOST.'],
  ...['[::1]', '[::]', '[::ffff:127.0.0.1]', '[::ffff:7f00:1]', '[::127.0.0.1]'],
  ...['[64:ff9b::7f00:1]', '[2002:7f00:1::]', '127.0.0.1.nip.example', '7f000001.nip.example'],
];

export const FORBIDDEN_PLACES: readonly string[] = [
  'http://169.254.169.254/latest/meta-data/',
  'http://[fd00:ec2::254]/latest/meta-data/',
  'http://metadata.google.internal/',
  'http://10.0.0.1/',
  'file:///etc/passwd',
  'ftp://127.0.0.1/a.wav',
  'gopher://127.0.0.1/',
  'concat:http://127.0.0.1/a|http://127.0.0.1/b',
  'subfile,,start,0,end,9,,:/etc/passwd',
  'http://user@127.0.0.1/',
  'http://',
];
