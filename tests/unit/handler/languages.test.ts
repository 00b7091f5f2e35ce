import { expect, test } from 'vitest';
import { joinTexts, LANGUAGE_CODES, languageCodeOf } from '../../../handler/languages.ts';

test('all hundred languages of large-v3 are known by their own code', () => {
  expect(LANGUAGE_CODES).toHaveLength(100);
  for (const code of LANGUAGE_CODES) expect(languageCodeOf(code)).toBe(code);
});

test('Javanese has the standard code and the code of Whisper', () => {
  expect(languageCodeOf('jv')).toBe('jw');
  expect(languageCodeOf('jw')).toBe('jw');
});

test('an unknown name is not guessed', () => {
  for (const name of ['', 'e', 'englisch', 'en-english', 'korea']) {
    expect(languageCodeOf(name)).toBeUndefined();
  }
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
