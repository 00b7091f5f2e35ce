import { expect, test } from 'vitest';
import { languageNameOf, spokenLanguage, WHISPER_LANGUAGES } from '../../core/languages.ts';

const codeOf = (text: string): string | undefined => spokenLanguage(text)?.code;

test('all hundred languages of large-v3 are known by code and by OpenAI’s name', () => {
  expect(WHISPER_LANGUAGES).toHaveLength(100);
  for (const code of WHISPER_LANGUAGES) {
    expect(codeOf(code)).toBe(code);
    expect(codeOf(languageNameOf(code))).toBe(code);
    expect(codeOf(languageNameOf(code).toUpperCase())).toBe(code);
  }
});

test('every language is known by its own name and by its Korean one', () => {
  const names = (locale: string) => new Intl.DisplayNames([locale], { type: 'language' });
  for (const code of WHISPER_LANGUAGES) {
    expect(codeOf(names(code).of(code)!)).toBe(code);
    expect(codeOf(names('ko').of(code)!)).toBe(code);
  }
});

test.each([
  ['ko', 'kor ko-KR KO ko_KR ko-Kore-KR Korean 한국어 ＫＯ'],
  ['en', 'eng en-US en-GB English 영어 en-GB-oxendict en-US-u-hc-h12'],
  ['ja', 'jpn ja-JP Japanese 日本語'],
  ['zh', 'zho chi cmn zh-Hans-CN zh-TW zh-HK zh-cmn-Hans-CN Mandarin 中文'],
  ['yue', 'yue zh-yue yue-Hant-HK Cantonese'],
  ['no', 'nor nb nob nb-NO no-NO Norwegian Bokmål'],
  ['nn', 'nno nn-NO Nynorsk'],
  ['he', 'heb iw he-IL'],
  ['id', 'ind in in-ID'],
  ['yi', 'yid ji'],
  ['jw', 'jav jv jw Javanese'],
  ['tl', 'tgl fil fil-PH Tagalog Filipino'],
  ['ro', 'ron rum mo Moldavian'],
  ['pt', 'por pt_BR pt-PT Português PORTUGUES'],
  ['es', 'spa es-419 español Espanol Castilian'],
  ['de', 'deu ger de-1996 Deutsch'],
  ['fa', 'fas per pes Farsi'],
  ['ms', 'msa may zsm'],
  ['sr', 'srp sh sr-Latn-RS'],
  ['my', 'mya bur Burmese Myanmar'],
])('%s is meant by %s', (code, texts) => {
  for (const text of texts.split(' ')) expect([text, codeOf(text)]).toEqual([text, code]);
});

test.each([
  ['zh-tw', 'zh-TW'],
  ['cmn-hant', 'zh-Hant'],
  ['Traditional Chinese', 'zh-Hant'],
  ['简体中文', 'zh-Hans'],
  ['ZH_hk', 'zh-HK'],
  ['chinese', 'zh'],
])('%s keeps the script and the region that it asks for as %s', (text, tag) => {
  expect(spokenLanguage(text)).toEqual({ code: 'zh', tag });
  expect(spokenLanguage(tag)).toEqual({ code: 'zh', tag });
});

test('what no Whisper knows is not guessed', () => {
  const unknown = ['', ' ', 'e', 'xx', 'enx', 'ko-', '-ko', 'englisch', 'en-english', 'korea'];
  for (const text of [...unknown, 'klingon', 'ga', 'gsw', 'und', 'mul', 'constructor', 'a b c']) {
    expect([text, codeOf(text)]).toEqual([text, undefined]);
  }
});
