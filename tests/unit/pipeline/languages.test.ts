import { expect, test } from 'vitest';
import { SttError } from '../../../core/errors.ts';
import { languageBeforeListening } from '../../../pipeline/languages.ts';

const multilingual = { modelName: 'openai/whisper-large-v3', languages: ['en', 'ko', 'ja'] };
const english = { modelName: 'openai/whisper-tiny.en', languages: ['en'] };

function errorOf(work: () => unknown): SttError {
  try {
    work();
  } catch (thrown) {
    return thrown as SttError;
  }
  throw new Error('Expected an error');
}

test('a given language is certain', () => {
  expect(languageBeforeListening({ language: 'ko', task: 'transcribe' }, multilingual)).toBe('ko');
});

test('without one a multilingual model must listen first', () => {
  expect(languageBeforeListening({ language: null, task: 'translate' }, multilingual)).toBeNull();
});

test('the only language of a model is certain', () => {
  expect(languageBeforeListening({ language: null, task: 'transcribe' }, english)).toBe('en');
});

test('a language that the model does not know names the model, the code and the setting', () => {
  const error = errorOf(() =>
    languageBeforeListening({ language: 'ko', task: 'transcribe' }, english),
  );
  expect(error).toBeInstanceOf(SttError);
  expect(error.code).toBe('LANGUAGE_UNSUPPORTED');
  for (const part of ['openai/whisper-tiny.en', 'ko', 'WHISPER_MODEL', 'openai/whisper-large-v3']) {
    expect(error.message).toContain(part);
  }
});

test('translation by a model of one language is refused in the same way', () => {
  const error = errorOf(() =>
    languageBeforeListening({ language: 'en', task: 'translate' }, english),
  );
  expect(error.code).toBe('LANGUAGE_UNSUPPORTED');
  expect(error.message).toMatch(/openai\/whisper-tiny\.en .*cannot translate.*WHISPER_MODEL/);
});

test('a message never repeats what is not a language code', () => {
  const error = errorOf(() =>
    languageBeforeListening({ language: 'my secret', task: 'transcribe' }, multilingual),
  );
  expect(error.message).not.toContain('secret');
});
