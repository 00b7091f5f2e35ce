import { expect, test } from 'vitest';
import { z } from 'zod';
import {
  candidatesField,
  givenLanguage,
  joinTexts,
  languageField,
  refuseConflict,
} from '../../../handler/languages.ts';
import { parseJobInput } from '../../../handler/schema.ts';

const Asked = z
  .object({ language: languageField, languages: candidatesField })
  .superRefine((asked, context) => refuseConflict(asked, context));
const codesOf = (languages: unknown) => candidatesField.parse(languages).map(({ code }) => code);
const problemsOf = (input: unknown): string[] =>
  Asked.safeParse(input).error?.issues.map(({ path, message }) => `${path}: ${message}`) ?? [];

test.each([null, undefined, '', ' ', 'auto', 'AUTO', ' Auto '])(
  'language %j asks for detection',
  (language) => {
    expect(languageField.parse(language)).toBeNull();
  },
);

test('a language keeps the tag that was meant beside the code of Whisper', () => {
  expect(languageField.parse('zh_tw')).toEqual({ code: 'zh', tag: 'zh-TW' });
  expect(languageField.parse('nb-NO')).toEqual({ code: 'no', tag: 'nb-NO' });
});

test('an unknown language is a problem that never repeats what was sent', () => {
  const [problem, ...others] = problemsOf({ language: 'my secret' });
  expect(problem).toMatch(/^language: expected a language code/);
  expect(problem).not.toContain('secret');
  expect(others).toEqual([]);
  expect(problemsOf({ language: 'x'.repeat(10_000) })).toHaveLength(1);
});

test('candidates are understood as languages are, and each counts once', () => {
  expect(codesOf(['Korean', 'ko-KR', 'eng', '日本語'])).toEqual(['ko', 'en', 'ja']);
});

test.each([null, undefined, [], ['auto'], ['']])('candidates %j are all languages', (languages) => {
  expect(codesOf(languages)).toEqual([]);
});

test('auto beside a candidate, and a candidate that is unknown, are problems', () => {
  expect(problemsOf({ languages: ['ko', 'auto'] })).toEqual([
    'languages: auto stands alone: it is every language',
  ]);
  expect(problemsOf({ languages: ['ko', 'klingon'] })[0]).toMatch(/^languages,1: expected/);
});

test('a single candidate is as good as given', () => {
  expect(givenLanguage(Asked.parse({ languages: ['ko-KR'] }))?.code).toBe('ko');
  expect(givenLanguage(Asked.parse({ language: 'en', languages: ['ko', 'en'] }))?.code).toBe('en');
  expect(givenLanguage(Asked.parse({ languages: ['ko', 'en'] }))).toBeNull();
});

test('a language that is not among the candidates contradicts them', () => {
  expect(problemsOf({ language: 'ja', languages: ['ko', 'en'] })).toEqual([
    'languages: must have the language among them, or be left out',
  ]);
  expect(problemsOf({ language: 'zh-TW', languages: ['zh-CN', 'ko'] })).toEqual([]);
});

test.each([
  [{ language: 'ja', languages: ['ko', 'en'] }, /^languages: must have the language among them/],
  [{ languages: ['ko'], multilingual: true }, /^multilingual: needs language to be left out/],
  [{ languages: ['ko'], language_detection_chunks: 2 }, /^language_detection_chunks: needs/],
  [{ languages: 'ko' }, /^languages: /],
  [{ languages: ['ko', 'xx'] }, /^languages\[1\]: expected a language code/],
])('a job with %j is refused', (fields, message) => {
  const parse = () => parseJobInput({ audio_url: 'https://example.com/a.wav', ...fields });
  expect(parse).toThrow(expect.objectContaining({ code: 'INPUT_INVALID' }));
  expect(parse).toThrow(message);
});

test('Korean and English put a space between segments', () => {
  expect(joinTexts(['안녕하세요', '반갑습니다'], 'ko')).toBe('안녕하세요 반갑습니다');
  expect(joinTexts(['And so', 'my fellow'], 'en')).toBe('And so my fellow');
});

test.each(['ja', 'zh', 'yue', 'th', 'lo', 'my', 'km'])('%s puts none', (language) => {
  expect(joinTexts(['今日は', '東京です', '。'], language)).toBe('今日は東京です。');
});

test('Latin words keep their space inside Japanese', () => {
  expect(joinTexts(['これは', 'Open', 'AI の', 'モデル'], 'ja')).toBe('これはOpen AI のモデル');
});

test('no texts are an empty text', () => {
  expect(joinTexts([], 'ja')).toBe('');
  expect(joinTexts([], 'en')).toBe('');
});
