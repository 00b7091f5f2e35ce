import { expect, test } from 'vitest';
import { parseLocalArguments } from '../../../handler/local/arguments.ts';
import { Refusal } from '../../../handler/local/refusal.ts';

const LANGUAGES = { language: null, languages: [] };
const FILES = { kind: 'files', ...LANGUAGES, task: 'transcribe', format: 'json' };

test.each([
  [[], { kind: 'test-input-file' }],
  [['--test_input', '{"input":{}}'], { kind: 'json', text: '{"input":{}}' }],
  [['--test_input={"input":{}}'], { kind: 'json', text: '{"input":{}}' }],
  [['a.wav'], { ...FILES, paths: ['a.wav'] }],
  [['a.wav', 'b.mp3'], { ...FILES, paths: ['a.wav', 'b.mp3'] }],
  [['--', '-a.wav'], { ...FILES, paths: ['-a.wav'] }],
  [['a.wav', '--language', 'Korean'], { ...FILES, paths: ['a.wav'], language: 'ko' }],
  [['a.wav', '--language', 'auto'], { ...FILES, paths: ['a.wav'] }],
  [['a.wav', '--language', 'zh_tw'], { ...FILES, paths: ['a.wav'], language: 'zh-TW' }],
  [['a.wav', '--languages', 'Korean,eng'], { ...FILES, paths: ['a.wav'], languages: ['ko', 'en'] }],
  [['--task', 'translate', 'a.wav'], { ...FILES, paths: ['a.wav'], task: 'translate' }],
  [
    ['a.wav', '--format', 'srt', '--out', 'subtitles'],
    { ...FILES, paths: ['a.wav'], format: 'srt', outFolder: 'subtitles' },
  ],
])('%j runs', (argv, origin) => {
  expect(parseLocalArguments(argv)).toEqual({
    kind: 'run',
    endpointId: undefined,
    origin: origin.kind === 'files' ? { outFolder: undefined, ...origin } : origin,
  });
});

test('an endpoint goes with any kind of job', () => {
  for (const argv of [[], ['a.wav'], ['--test_input', '{}']]) {
    expect(parseLocalArguments(['--endpoint', 'abc', ...argv])).toMatchObject({
      endpointId: 'abc',
    });
  }
});

test('help and version come before anything else', () => {
  expect(parseLocalArguments(['a.wav', '--help', '--test_input', '{}'])).toEqual({ kind: 'help' });
  expect(parseLocalArguments(['-h'])).toEqual({ kind: 'help' });
  expect(parseLocalArguments(['--version'])).toEqual({ kind: 'version' });
});

test.each([
  [['--langauge', 'en', 'a.wav'], /--langauge/],
  [['-x'], /-x/],
  [['--test_input'], /test_input/],
  [['--test_input', '{}', 'a.wav'], /not both/],
  [['--format', 'srt'], /--format needs a FILE/],
  [['--language', 'en'], /--language needs a FILE/],
  [['--out', 'x', '--test_input', '{}'], /--out needs a FILE/],
  [['a.wav', '--format', 'docx'], /--format is one of json, verbose, verbose_json, text/],
  [['a.wav', '--task', 'sing'], /--task is one of transcribe, translate/],
  [['a.wav', '--language', 'klingon'], /--language/],
  [['a.wav', '--languages', 'ko,klingon'], /--languages/],
  [['--languages', 'ko,en'], /--languages needs a FILE/],
  [['a.wav', '--out', ''], /--out/],
  [['a.wav', '--endpoint', ''], /--endpoint/],
])('%j is wrong usage', (argv, message) => {
  const parse = () => parseLocalArguments(argv);
  expect(parse).toThrow(Refusal);
  expect(parse).toThrow(message);
  expect(parse).toThrow(expect.objectContaining({ exitCode: 2 }));
});
