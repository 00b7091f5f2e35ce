import { expect, test } from 'vitest';
import { SttError } from '../../../core/errors.ts';
import { languageBeforeListening } from '../../../pipeline/languages.ts';

const multilingual = { modelName: 'openai/whisper-large-v3', languages: ['en', 'ko', 'ja'] };
const english = { modelName: 'openai/whisper-tiny.en', languages: ['en'] };
const ASKED = { language: null, languages: [], task: 'transcribe' } as const;

function errorOf(work: () => unknown): SttError {
  try {
    work();
  } catch (thrown) {
    return thrown as SttError;
  }
  throw new Error('Expected an error');
}

test('a given language is certain', () => {
  expect(languageBeforeListening({ ...ASKED, language: 'ko' }, multilingual)).toEqual({
    language: 'ko',
    languageProbability: 1,
  });
});

test('without one a multilingual model must listen first', () => {
  expect(languageBeforeListening({ ...ASKED, task: 'translate' }, multilingual)).toBeNull();
});

test('the only language of a model is taken, and nobody says how probable it is', () => {
  expect(languageBeforeListening(ASKED, english)).toEqual({
    language: 'en',
    languageProbability: 0,
  });
});

test('candidates that the model knows are listened for', () => {
  const languages = ['ko', 'en', 'yue'];
  expect(languageBeforeListening({ ...ASKED, languages }, multilingual)).toBeNull();
});

test('the only candidate that the model knows is taken without listening', () => {
  const languages = ['ko', 'en'];
  const taken = { language: 'en', languageProbability: 0 };
  expect(languageBeforeListening({ ...ASKED, languages }, english)).toEqual(taken);
});

test('candidates of which the model knows none are refused', () => {
  const error = errorOf(() =>
    languageBeforeListening({ ...ASKED, languages: ['ko', 'ja'] }, english),
  );
  expect(error.code).toBe('LANGUAGE_UNSUPPORTED');
  expect(error.message).toContain('only en');
});

test('a language that the model does not know names the model, the code and the setting', () => {
  const error = errorOf(() => languageBeforeListening({ ...ASKED, language: 'ko' }, english));
  expect(error).toBeInstanceOf(SttError);
  expect(error.code).toBe('LANGUAGE_UNSUPPORTED');
  for (const part of ['openai/whisper-tiny.en', 'ko', 'WHISPER_MODEL', 'openai/whisper-large-v3']) {
    expect(error.message).toContain(part);
  }
});

test('translation by a model of one language is refused in the same way', () => {
  const error = errorOf(() =>
    languageBeforeListening({ ...ASKED, language: 'en', task: 'translate' }, english),
  );
  expect(error.code).toBe('LANGUAGE_UNSUPPORTED');
  expect(error.message).toMatch(/openai\/whisper-tiny\.en .*cannot translate.*WHISPER_MODEL/);
});

test('a message never repeats what is not a language code', () => {
  const error = errorOf(() =>
    languageBeforeListening({ ...ASKED, language: 'my secret' }, multilingual),
  );
  expect(error.message).not.toContain('secret');
});
